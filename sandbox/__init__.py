"""Beside the floors: a pretend Telegram and a pretend market on loopback; knows market/ only."""
