"""JobHub's own face: everything that the engine can, in its own words."""
