"""What readers of logs stand on: wrappings undone, marks, signs, and a dialogue that grows."""
