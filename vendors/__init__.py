"""The faces: each folder speaks one product's job API."""
