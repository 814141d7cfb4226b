"""Other programs' files, read and written down as a template of ours. Pure.

Each module knows one kind of file and returns an `Imported`: our YAML, and one note for each key that has no meaning
here, with its line. Nothing is dropped silently. Above: `template import`.
"""
