"""Calls of Python's Kafka clients (confluent-kafka, which brings a librdkafka of its own, and kafka-python): each
prints what it saw. Run by tools.python()."""
import sys
import threading
import time


def confluent_round_trip(address, topic, count):
    """An idempotent producer, then a group of three consumers that share the partitions and commit."""
    from confluent_kafka import Consumer, Producer
    from confluent_kafka.admin import AdminClient, NewTopic
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic(topic, 6)])[topic].result(20)
    producer = Producer({"bootstrap.servers": address, "enable.idempotence": True, "compression.type": "zstd", "linger.ms": 5})
    for i in range(int(count)):
        producer.produce(topic, str(i), key=f"k{i}", on_delivery=lambda error, _: error and sys.exit(str(error)))
        producer.poll(0)
    assert producer.flush(30) == 0
    seen, lock, shares = [], threading.Lock(), {}

    def consume(name):
        consumer = Consumer({"bootstrap.servers": address, "group.id": "three", "auto.offset.reset": "earliest",
                             "enable.auto.commit": False, "session.timeout.ms": 10000})
        consumer.subscribe([topic])
        end = time.monotonic() + 60
        while time.monotonic() < end:
            message = consumer.poll(0.2)
            with lock:
                shares[name] = len(consumer.assignment())
                if message is not None and message.error() is None:
                    seen.append(message.value().decode())
                done = len(seen) >= int(count) and sorted(shares.values()) == [2, 2, 2]
            if message is not None and message.error() is None:
                consumer.commit(message, asynchronous=False)
            if done:
                break
        consumer.close()

    threads = [threading.Thread(target=consume, args=(i, )) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(len(set(seen)))


def confluent_admin(address, topic):
    """What an operator does: configurations, partitions, offsets of groups, and their end."""
    from confluent_kafka import ConsumerGroupTopicPartitions, Consumer, TopicPartition
    from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic, OffsetSpec
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic(topic, 1, config={"retention.ms": "1000000"})])[topic].result(20)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    print(admin.describe_configs([resource])[resource].result(20)["retention.ms"].value)
    admin.create_partitions([NewPartitions(topic, 3)])[topic].result(20)
    print(len(admin.list_topics(topic, timeout=20).topics[topic].partitions))
    consumer = Consumer({"bootstrap.servers": address, "group.id": f"{topic}-group"})
    consumer.commit(offsets=[TopicPartition(topic, 1, 0, metadata="note")], asynchronous=False)
    print(consumer.committed([TopicPartition(topic, 1)], timeout=20)[0].metadata)
    consumer.close()
    print(sorted(g.group_id for g in admin.list_consumer_groups().result(20).valid if g.group_id.startswith(topic)))
    admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(f"{topic}-group", [TopicPartition(topic, 1, 0)])])
    print(admin.describe_consumer_groups([f"{topic}-group"])[f"{topic}-group"].result(20).state.name)
    admin.delete_consumer_groups([f"{topic}-group"])[f"{topic}-group"].result(20)
    asked = {TopicPartition(topic, 0): OffsetSpec.latest()}
    print([future.result(20).offset for future in admin.list_offsets(asked).values()])
    print(len(admin.describe_cluster().result(20).nodes))
    admin.delete_topics([topic])[topic].result(20)
    time.sleep(0.1)
    print(topic in admin.list_topics(timeout=20).topics)


def kafka_python_round_trip(address, topic, count):
    from kafka import KafkaConsumer, KafkaProducer
    producer = KafkaProducer(bootstrap_servers=address, compression_type="gzip")
    for i in range(int(count)):
        producer.send(topic, value=str(i).encode(), key=b"k", headers=[("h", b"v")])
    producer.flush(30)
    consumer = KafkaConsumer(topic, bootstrap_servers=address, group_id=f"{topic}-group", auto_offset_reset="earliest",
                             consumer_timeout_ms=10000)
    got = []
    for message in consumer:
        got.append(message.value.decode())
        if len(got) == int(count):
            break
    consumer.commit()
    consumer.close()
    print(got == [str(i) for i in range(int(count))])


def acl(address, permission, principal, name, operation, kind="TOPIC"):
    from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, AdminClient, ResourcePatternType, ResourceType
    rule = AclBinding(ResourceType[kind], name, ResourcePatternType.LITERAL, principal, "*", AclOperation[operation], AclPermissionType[permission])
    admin = AdminClient({"bootstrap.servers": address})  # to be kept: with the client goes its answer
    admin.create_acls([rule])[rule].result(60)


def allow_all(address):
    from confluent_kafka.admin import AclBindingFilter, AclOperation, AclPermissionType, AdminClient, ResourcePatternType, ResourceType
    everything = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY)
    admin = AdminClient({"bootstrap.servers": address})
    admin.delete_acls([everything])[everything].result(60)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
