"""Texts that more than one test of why asks about."""

SCORE = """\
score:
  above: 0.5
  parts:
    - {when: "close > sma(close, 4)", weight: 0.4}
    - {when: "rsi(close, 4) < 60 and volume > 300", weight: 0.3, otherwise: -0.1, unknown: 0}
    - {when: "not close > close[2]", weight: 0.2}
"""
