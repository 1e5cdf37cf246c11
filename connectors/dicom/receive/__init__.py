"""Studies that are pushed over the network (C-STORE), kept in a folder once they are whole."""
