"""``salience-audit backup`` and ``restore``: a folder with every row and every blob, whatever the versions of Postgres.

manifest.json     revision, tables with their columns and rows, blobs with their digests; written last
tables/NAME       the rows, as Postgres's COPY writes text
blobs/HEX         uploaded content, by its SHA-256
api-key.secret    of a service that made its own; one that is given API_KEY_SECRET keeps that itself
encryption.keys   likewise, of ENCRYPTION_KEYS
"""
