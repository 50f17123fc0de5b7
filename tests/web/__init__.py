"""The daemon's own pages, asked by a real client over a real socket."""
