"""Floor 5: Telegram, the scheduler and the command line; app.py alone builds real objects."""
