"""The report: one HTML page, its figures and its tables, from plain data.

`data` says what a report shows; `sources`, `trials` and `paths` make that from the tables of the other stages; `files`
writes it. `gallery` chooses the figures that `figures`, `labels` and `style` draw, `views` and `words` put numbers and
codes in words, and `html` fills the page (template.html.jinja, page.css, page.js).
"""
