// What the S3 sink connector does for lines of JSON, with the least around it: a consumer of kafka-clients, a buffer for
// each partition, one PutObject of the AWS SDK for each flush.size records (one thread, as one task of Connect), commits
// behind. It parses nothing, checks nothing and is not exact. Confluent's connector itself is under a licence of its own
// and in no public registry, so this stands for it; a real one does more and is slower.
//
//   StandIn SERVER GROUP TOPIC RECORDS FLUSH_SIZE ENDPOINT BUCKET PREFIX      prints seconds and objects
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

public class StandIn {
  static final class Open {
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    long first = -1;
    long next = 0;
    long records = 0;
  }

  public static void main(String[] args) throws Exception {
    final long start = System.nanoTime();
    final String topic = args[2];
    final long count = Long.parseLong(args[3]);
    final long flushSize = Long.parseLong(args[4]);
    final Properties settings = new Properties();
    settings.put("bootstrap.servers", args[0]);
    settings.put("group.id", args[1]);
    settings.put("auto.offset.reset", "earliest");
    settings.put("enable.auto.commit", "false");
    settings.put("key.deserializer", ByteArrayDeserializer.class.getName());
    settings.put("value.deserializer", ByteArrayDeserializer.class.getName());
    final S3Client s3 = S3Client.builder()
        .endpointOverride(URI.create(args[5]))
        .forcePathStyle(true)
        .region(Region.US_EAST_1)
        .httpClientBuilder(UrlConnectionHttpClient.builder())
        .build();
    final Map<TopicPartition, Open> open = new HashMap<>();
    final Map<TopicPartition, OffsetAndMetadata> done = new HashMap<>();
    long seen = 0;
    long objects = 0;
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings)) {
      consumer.subscribe(List.of(topic));
      while (seen < count) {
        for (final ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          final TopicPartition at = new TopicPartition(record.topic(), record.partition());
          final Open one = open.computeIfAbsent(at, key -> new Open());
          if (one.first < 0) one.first = record.offset();
          one.bytes.write(record.value(), 0, record.value().length);
          one.bytes.write('\n');
          one.next = record.offset() + 1;
          ++seen;
          if (++one.records < flushSize) continue;
          put(s3, args, at, one);
          ++objects;
          done.put(at, new OffsetAndMetadata(one.next));
          open.remove(at);
        }
        if (!done.isEmpty()) consumer.commitAsync(Map.copyOf(done), null);
        done.clear();
      }
      for (final Map.Entry<TopicPartition, Open> rest : open.entrySet()) {
        put(s3, args, rest.getKey(), rest.getValue());
        ++objects;
        done.put(rest.getKey(), new OffsetAndMetadata(rest.getValue().next));
      }
      if (!done.isEmpty()) consumer.commitSync(done);
    }
    System.out.println((System.nanoTime() - start) / 1e9 + " " + objects);
  }

  static void put(S3Client s3, String[] args, TopicPartition at, Open one) {
    final String key = String.format("%s/topics/%s/partition=%d/%s+%d+%010d.json", args[7], at.topic(), at.partition(),
        at.topic(), at.partition(), one.first);
    s3.putObject(request -> request.bucket(args[6]).key(key), RequestBody.fromBytes(one.bytes.toByteArray()));
  }
}
