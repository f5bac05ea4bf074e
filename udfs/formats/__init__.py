"""Values whose schema a registry has, in Confluent's wire format: Avro and Protobuf."""
