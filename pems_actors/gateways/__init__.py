"""The outside: devices, brokers, stores and feeds, each behind its own small adapter.

A gateway turns foreign words, units and signs into ours and back; it decides nothing. The ports
they speak are in `domain/ports.py`; who carries their post is in `actors`.
"""
