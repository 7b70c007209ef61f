"""What must survive a restart of the process: which values, how they are written, who keeps them.

Explicit codecs turn each value into plain data and back (`plain`, `domain_codecs`, `kept`), with
what is true of it at a later time; `memory` loads and saves them, `order_journal` holds the last
order to each device. Actors say what to remember; they never touch a file.
"""
