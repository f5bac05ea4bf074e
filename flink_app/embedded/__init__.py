"""What `millirec` brings along so that a bare machine can run it: Java, Redis, a MiniCluster."""
