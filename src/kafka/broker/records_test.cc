// Records in and out of a broker over a socket: produce, fetch, list offsets, delete records.
#include <gmock/gmock.h>

#include <thread>

#include "kafka/broker/testing.h"

namespace pinflow::kafka {
namespace {

using ::testing::ElementsAre;

using Values = std::vector<std::string>;

TEST_F(BrokerTest, ProducesAndFetchesInEveryVersion) {
  start();
  make_topic("pin");
  const Uuid id = Uuid::from(log_->find_topic("pin")->topic_id);
  TestClient client = connect();
  Values sent;
  for (int16_t version = spec_of(Api::produce).min; version <= spec_of(Api::produce).max; ++version) {
    sent.push_back("by " + std::to_string(version));
    const auto part = only(client.ask<ProduceResponse>(produce("pin", batch_of({sent.back()})), version));
    EXPECT_EQ(part.error_code, 0);
    EXPECT_EQ(part.base_offset, static_cast<int64_t>(sent.size()) - 1);
  }
  for (int16_t version = spec_of(Api::fetch).min; version <= spec_of(Api::fetch).max; ++version) {
    SCOPED_TRACE(version);
    FetchRequest request = fetch("pin", 0);
    request.topics[0].topic_id = id;
    const auto response = client.ask<FetchResponse>(request, version);
    if (version >= 13) EXPECT_EQ(response.topics.at(0).topic_id, id);
    else EXPECT_EQ(response.topics.at(0).topic, "pin");
    EXPECT_EQ(only(response).error_code, 0);
    EXPECT_EQ(only(response).high_watermark, static_cast<int64_t>(sent.size()));
    EXPECT_EQ(values(only(response).records->data), sent);
  }
}

TEST_F(BrokerTest, AnswersPipelinedRequestsInTheirOrder) {
  start();
  make_topic("pin");
  TestClient client = connect();
  std::vector<int32_t> produces;
  for (int i = 0; i < 100; ++i) {
    produces.push_back(client.send(produce("pin", batch_of({std::to_string(i)})), 9));
    produces.push_back(client.send(MetadataRequest{}, 12));
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(only(client.receive<ProduceResponse>(9, produces[2 * i])).base_offset, i);
    EXPECT_EQ(client.receive<MetadataResponse>(12, produces[2 * i + 1]).controller_id, kNodeId);
  }
}

TEST_F(BrokerTest, RefusesBadRecordsEachWithItsCode) {
  options_.max_message_bytes = 1000;
  start();
  make_topic("pin", 2);
  TestClient client = connect();
  const auto error = [&](const ProduceRequest& request, int16_t version = 9) {
    const auto part = only(client.ask<ProduceResponse>(request, version));
    EXPECT_TRUE(part.error_code == 0 || version < 8 || part.error_message) << part.error_code;
    return KafkaError{part.error_code};
  };
  EXPECT_EQ(error(produce("pin", batch_of({std::string(900, 'x')}))), KafkaError::none);
  EXPECT_EQ(error(produce("pin", batch_of({std::string(1000, 'x')}))), KafkaError::message_too_large);
  EXPECT_EQ(error(produce("nowhere", batch_of({"x"}))), KafkaError::unknown_topic_or_partition);
  EXPECT_EQ(error(produce("pin", batch_of({"x"}), 2)), KafkaError::unknown_topic_or_partition);
  EXPECT_EQ(error(produce("pin", batch_of({"x"}), -1)), KafkaError::unknown_topic_or_partition);
  EXPECT_EQ(error(produce("pin", batch_of({"x"}), 0, 2)), KafkaError::invalid_required_acks);
  EXPECT_EQ(error(produce("pin", "")), KafkaError::invalid_record);
  EXPECT_EQ(error(produce("pin", "too short for a batch")), KafkaError::invalid_record);
  EXPECT_EQ(error(produce("pin", batch_of({"x"}) + batch_of({"y"}))), KafkaError::invalid_record);

  std::string batch = batch_of({"x"});
  batch.back() ^= 1;
  EXPECT_EQ(error(produce("pin", batch)), KafkaError::corrupt_message);
  batch = batch_of({"x"});
  batch[16] = 1;  // magic
  EXPECT_EQ(error(produce("pin", batch)), KafkaError::invalid_record);
  batch = batch_of({"x"});
  batch[22] = 0x10;  // transactional
  EXPECT_EQ(error(produce("pin", batch)), KafkaError::invalid_record);
  batch = batch_of({"x"});
  batch[22] = 4;  // zstd, which Produce 3 does not know
  EXPECT_EQ(error(produce("pin", batch), 3), KafkaError::unsupported_compression_type);
  batch = batch_of({"x"});
  batch.resize(batch.size() - 1);
  EXPECT_EQ(error(produce("pin", batch)), KafkaError::invalid_record);
  ProduceRequest transactional = produce("pin", batch_of({"x"}));
  transactional.transactional_id = "t";
  EXPECT_EQ(error(transactional), KafkaError::invalid_request);

  EXPECT_EQ(log_->offsets("pin", 0)->end, 1) << "of all these one was good";
}

TEST_F(BrokerTest, OneBadPartitionDoesNotStopTheOthers) {
  start();
  make_topic("pin", 2);
  TestClient client = connect();
  ProduceRequest request = produce("pin", batch_of({"good"}), 1);
  request.topics[0].partitions.push_back({7, Bytes{batch_of({"bad"})}});
  request.topics.push_back({"nowhere", {{0, Bytes{batch_of({"bad"})}}}});
  const auto response = client.ask<ProduceResponse>(request, 9);
  EXPECT_EQ(response.topics.at(0).partitions.at(0).error_code, 0);
  EXPECT_EQ(response.topics.at(0).partitions.at(1).error_code, wire(KafkaError::unknown_topic_or_partition));
  EXPECT_EQ(response.topics.at(1).partitions.at(0).error_code, wire(KafkaError::unknown_topic_or_partition));
}

TEST_F(BrokerTest, IdempotentProducersAreHeldToTheirSequence) {
  start();
  make_topic("pin");
  TestClient client = connect();
  const auto given = client.ask<InitProducerIdResponse>(InitProducerIdRequest{}, 4);
  ASSERT_EQ(given.error_code, 0);
  EXPECT_NE(client.ask<InitProducerIdResponse>(InitProducerIdRequest{}, 4).producer_id, given.producer_id);
  const auto send = [&](int32_t sequence, int16_t epoch = 0) {
    return only(client.ask<ProduceResponse>(
        produce("pin", numbered(batch_of({"x", "y"}), given.producer_id, epoch, sequence)), 9));
  };
  EXPECT_EQ(send(0).base_offset, 0);
  EXPECT_EQ(send(2).base_offset, 2);
  const auto again = send(2);
  EXPECT_EQ(again.error_code, 0);
  EXPECT_EQ(again.base_offset, 2) << "a repeat is told where it is";
  EXPECT_EQ(KafkaError{send(6).error_code}, KafkaError::out_of_order_sequence_number);
  EXPECT_EQ(send(0, 1).error_code, 0);
  EXPECT_EQ(KafkaError{send(4).error_code}, KafkaError::invalid_producer_epoch);

  InitProducerIdRequest transactional;
  transactional.transactional_id = "t";
  EXPECT_EQ(KafkaError{client.ask<InitProducerIdResponse>(transactional, 4).error_code}, KafkaError::invalid_request);
}

TEST_F(BrokerTest, AcksZeroGetsNoAnswerAndABadBatchEndsTheConnection) {
  start();
  make_topic("pin");
  TestClient client = connect();
  client.send(produce("pin", batch_of({"x"}), 0, 0), 9);
  const auto correlation = client.send(ApiVersionsRequest{}, 3);
  EXPECT_EQ(client.receive<ApiVersionsResponse>(3, correlation).error_code, 0)
      << "the next answer is the next request's";
  client.send(produce("nowhere", batch_of({"x"}), 0, 0), 9);
  EXPECT_EQ(client.receive_frame(), std::nullopt);
  EXPECT_EQ(log_->offsets("pin", 0)->end, 1);
}

TEST_F(BrokerTest, AFetchInsideABatchGivesTheWholeBatch) {
  start();
  make_topic("pin");
  TestClient client = connect();
  client.ask<ProduceResponse>(produce("pin", batch_of({"a", "b", "c"})), 9);
  client.ask<ProduceResponse>(produce("pin", batch_of({"d"})), 9);
  const auto part = only(client.ask<FetchResponse>(fetch("pin", 1), 11));
  EXPECT_THAT(values(part.records->data), ElementsAre("a", "b", "c", "d"));
}

TEST_F(BrokerTest, AFetchIsBoundedButAlwaysGetsOn) {
  start();
  make_topic("pin", 2);
  TestClient client = connect();
  for (int i = 0; i < 10; ++i) {
    for (int32_t partition : {0, 1}) {
      client.ask<ProduceResponse>(produce("pin", batch_of({std::string(1000, 'x')}), partition), 9);
    }
  }
  FetchRequest request = fetch("pin", 0);
  request.topics[0].partitions.push_back({.partition = 1, .fetch_offset = 0, .partition_max_bytes = 1 << 20});
  request.max_bytes = 1;
  auto parts = client.ask<FetchResponse>(request, 11).topics.at(0).partitions;
  EXPECT_EQ(values(parts[0].records->data).size(), 1u);
  EXPECT_EQ(values(parts[1].records->data).size(), 0u);
  request.max_bytes = 15'000;
  parts = client.ask<FetchResponse>(request, 11).topics.at(0).partitions;
  EXPECT_EQ(values(parts[0].records->data).size(), 10u);
  EXPECT_LT(parts[0].records->data.size() + parts[1].records->data.size(), 15'000u);
  EXPECT_GT(values(parts[1].records->data).size(), 0u);
  request.max_bytes = 1 << 20;
  request.topics[0].partitions[0].partition_max_bytes = 2'500;
  parts = client.ask<FetchResponse>(request, 11).topics.at(0).partitions;
  EXPECT_EQ(values(parts[0].records->data).size(), 2u);
  EXPECT_EQ(values(parts[1].records->data).size(), 10u);
}

TEST_F(BrokerTest, AFetchWaitsForRecords) {
  start();
  make_topic("pin");
  TestClient reader = connect();
  const auto asked = reader.send(fetch("pin", 0, 60'000), 11);
  TestClient writer = connect();
  writer.ask<ProduceResponse>(produce("pin", batch_of({"at last"})), 9);
  EXPECT_THAT(values(only(reader.receive<FetchResponse>(11, asked)).records->data), ElementsAre("at last"));
  EXPECT_TRUE(only(reader.ask<FetchResponse>(fetch("pin", 1, 20), 11)).records->data.empty()) << "the time is over";
  EXPECT_FALSE(only(reader.ask<FetchResponse>(fetch("pin", 0, 20, 1 << 20), 11)).records->data.empty())
      << "less than min_bytes, but all that came in time";
}

TEST_F(BrokerTest, AFetchOutOfRangeAnswersAtOnce) {
  start();
  make_topic("pin");
  TestClient client = connect();
  client.ask<ProduceResponse>(produce("pin", batch_of({"a"})), 9);
  const auto error = [&](FetchRequest request, int16_t version = 11) {
    return KafkaError{only(client.ask<FetchResponse>(request, version)).error_code};
  };
  EXPECT_EQ(error(fetch("pin", 2, 60'000)), KafkaError::offset_out_of_range);
  EXPECT_EQ(error(fetch("pin", -1, 60'000)), KafkaError::offset_out_of_range);
  EXPECT_EQ(error(fetch("nowhere", 0, 60'000)), KafkaError::unknown_topic_or_partition);
  EXPECT_EQ(error(fetch("nowhere", 0, 60'000), 13), KafkaError::unknown_topic_id);
  FetchRequest ahead = fetch("pin", 0, 60'000);
  ahead.topics[0].partitions[0].current_leader_epoch = 5;
  EXPECT_EQ(error(ahead), KafkaError::unknown_leader_epoch);
  FetchRequest session = fetch("pin", 0);
  session.session_id = 9;
  EXPECT_EQ(KafkaError{client.ask<FetchResponse>(session, 11).error_code}, kFetchSessionIdNotFound);
  EXPECT_EQ(client.ask<FetchResponse>(fetch("pin", 0), 11).session_id, 0);
}

TEST_F(BrokerTest, ListsOffsetsByTime) {
  start();
  make_topic("pin");
  TestClient client = connect();
  const auto list = [&](int64_t timestamp) {
    ListOffsetsRequest request;
    request.topics = {{"pin", {{.partition = 0, .timestamp = timestamp}}}};
    return client.ask<ListOffsetsResponse>(request, 8).topics.at(0).partitions.at(0);
  };
  EXPECT_EQ(list(-1).offset, 0);
  EXPECT_EQ(list(-3).offset, -1);
  for (const int64_t time : {1000, 5000, 3000}) {
    client.ask<ProduceResponse>(produce("pin", batch_of({"a", "b"}, time)), 9);
  }
  EXPECT_EQ(list(-1).offset, 6);
  EXPECT_EQ(list(-2).offset, 0);
  EXPECT_EQ(list(-4).offset, 0);
  EXPECT_EQ(list(-3).offset, 2);
  EXPECT_EQ(list(-3).timestamp, 5000);
  EXPECT_EQ(list(0).offset, 0);
  EXPECT_EQ(list(1001).offset, 2);
  EXPECT_EQ(list(1001).timestamp, 5000);
  EXPECT_EQ(list(5001).offset, -1);
  EXPECT_EQ(KafkaError{list(-9).error_code}, KafkaError::invalid_request);

  OffsetForLeaderEpochRequest epochs;
  epochs.topics = {{"pin", {{.partition = 0, .leader_epoch = 0}, {.partition = 0, .leader_epoch = 1}}}};
  const auto ends = client.ask<OffsetForLeaderEpochResponse>(epochs, 4).topics.at(0).partitions;
  EXPECT_EQ(ends[0].end_offset, 6);
  EXPECT_EQ(ends[1].end_offset, -1);
}

TEST_F(BrokerTest, DeletesRecordsBeforeAnOffset) {
  start();
  make_topic("pin");
  TestClient client = connect();
  for (int i = 0; i < 5; ++i) client.ask<ProduceResponse>(produce("pin", batch_of({"x"})), 9);
  const auto remove = [&](int64_t before) {
    DeleteRecordsRequest request;
    request.topics = {{"pin", {{0, before}}}};
    return client.ask<DeleteRecordsResponse>(request, 2).topics.at(0).partitions.at(0);
  };
  EXPECT_EQ(remove(2).low_watermark, 2);
  EXPECT_EQ(KafkaError{remove(6).error_code}, KafkaError::offset_out_of_range);
  EXPECT_EQ(KafkaError{only(client.ask<FetchResponse>(fetch("pin", 1), 11)).error_code},
            KafkaError::offset_out_of_range);
  EXPECT_EQ(values(only(client.ask<FetchResponse>(fetch("pin", 2), 11)).records->data).size(), 3u);
  EXPECT_EQ(remove(-1).low_watermark, 5);
}

}  // namespace
}  // namespace pinflow::kafka
