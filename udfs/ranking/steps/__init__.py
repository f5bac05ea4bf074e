"""What is done with ranked lists before they are served."""
