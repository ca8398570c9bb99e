"""What the workspace can find and knows: the index over documents and the graph, opened when they are first asked for."""
