"""Ways to show an Explanation. A view is a function: an Explanation in, text or bytes out."""
