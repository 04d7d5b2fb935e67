"""Events, once made: delivered or counted. The clients, the spool on disk, the local store."""
