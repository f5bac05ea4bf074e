"""Writers of events to files, folders and Kafka."""
