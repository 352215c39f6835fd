"""What may be asked of the hub. Admin, commands and all faces change things through these verbs only."""
