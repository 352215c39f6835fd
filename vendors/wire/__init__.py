"""The grammar that all faces share. It knows no vendor: what differs between them is data in their `vendor.py`."""
