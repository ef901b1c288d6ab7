"""The catalogue of messages: sentences for people, whole, with named placeholders.

A sentence is never put together from parts, so that it can be translated as it stands; where number decides the words,
there is one sentence for one and another for many, `automl.text.one_or_many.OneOrMany`. Each module holds the messages
of one area. What the templates say stands in the templates. The titles and helps of the options of a run are whole
sentences too; they stand in their rows, `automl.records.run_settings.RunSettings`, and those of the settings in theirs,
`automl.settings.Settings`.
"""
