"""Who asks over HTTP, and what that role may open."""
