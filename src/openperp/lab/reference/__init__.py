"""The slow engine: the venue's rules once more, written only to be evidently right.

Prices, quantities and money are decimals; orders stand in one list, and every
question is answered by going through it. It shares no code with `engine` but
the vocabulary: commands, events and the words in them. `compare` runs both
side by side.
"""
