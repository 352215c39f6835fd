"""The hub's own data in one file: a zip of one member of JSON Lines a table, and a manifest as the last member.

The manifest says version, migrations, columns, counts and SHA-256. What only this moment needs is not in it: sessions,
messages of the queue, and who keeps the clock. Secrets are as they are in the database, encrypted.
"""
