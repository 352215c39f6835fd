"""The core of the hub: states, executions, runners and the engine. It knows no HTTP and no vendor's words."""
