// Topics, configurations and the cluster, over a socket.
#include <gmock/gmock.h>

#include "kafka/broker/testing.h"

namespace pinflow::kafka {
namespace {

using ::testing::ElementsAre;

MetadataRequest about(const std::string& topic, bool may_create = true) {
  MetadataRequest request;
  request.topics.emplace().push_back({{}, topic});
  request.allow_auto_topic_creation = may_create;
  return request;
}

CreateTopicsRequest create(const std::string& name, int32_t partitions = -1, int16_t replication = -1) {
  CreateTopicsRequest request;
  request.topics.push_back({.name = name, .partitions = partitions, .replication_factor = replication});
  return request;
}

KafkaError error_of(const CreateTopicsResponse& response) { return KafkaError{response.topics.at(0).error_code}; }

TEST_F(BrokerTest, SaysWhatItSpeaks) {
  start();
  TestClient client = connect();
  for (int16_t version = 0; version <= 4; ++version) {
    const auto response = client.ask<ApiVersionsResponse>(ApiVersionsRequest{"test", "1"}, version);
    EXPECT_EQ(response.apis.size(), all_apis().size());
    EXPECT_EQ(response.apis.at(0).min_version, 0) << "old librdkafka wants to see Produce 0";
  }
}

TEST_F(BrokerTest, AnswersAnUnknownApiVersionsVersionSoThatAnyClientCanReadIt) {
  start();
  TestClient client = connect();
  std::string frame;
  append_big<int16_t>(frame, 18);
  append_big<int16_t>(frame, 99);
  append_big<int32_t>(frame, 7);
  client.send_frame(frame + "whatever that version holds");
  const auto response = client.receive<ApiVersionsResponse>(0, 7);
  EXPECT_EQ(KafkaError{response.error_code}, KafkaError::unsupported_version);
  EXPECT_EQ(response.apis.size(), all_apis().size());
  EXPECT_EQ(client.ask<ApiVersionsResponse>(ApiVersionsRequest{}, 3).error_code, 0);
}

TEST_F(BrokerTest, ClosesTheConnectionOnWhatItDoesNotSpeak) {
  start();
  const auto closes = [&](int16_t api, int16_t version, std::string_view rest) {
    TestClient client = connect();
    std::string frame;
    append_big(frame, api);
    append_big(frame, version);
    append_big<int32_t>(frame, 1);
    client.send_frame(frame.append(rest));
    return client.receive_frame() == std::nullopt;
  };
  EXPECT_TRUE(closes(1000, 0, ""));
  EXPECT_TRUE(closes(-1, 0, ""));
  EXPECT_TRUE(closes(0, 2, ""));
  EXPECT_TRUE(closes(1, 99, ""));
  EXPECT_TRUE(closes(3, 12, "\xff\xff garbage that is no metadata request"));
  TestClient client = connect();
  client.send_raw("GET / HTTP/1.1\r\nHost: here\r\n\r\n");
  EXPECT_EQ(client.receive_frame(), std::nullopt);
  EXPECT_EQ(connect().ask<ApiVersionsResponse>(ApiVersionsRequest{}, 3).error_code, 0) << "others are served on";
}

TEST_F(BrokerTest, RefusesRequestsAndConnectionsOverTheirLimits) {
  options_.max_message_bytes = 500;
  options_.max_request_bytes = 1000;
  options_.max_connections = 2;
  start();
  {
    TestClient client = connect();
    client.send_frame(std::string(1001, 'x'));
    EXPECT_EQ(client.receive_frame(), std::nullopt);
  }
  TestClient one = connect();
  EXPECT_EQ(one.ask<ApiVersionsResponse>(ApiVersionsRequest{}, 3).error_code, 0);
  TestClient two = connect();
  // The closed one above may still be counted for a moment.
  for (;;) {
    two.send(ApiVersionsRequest{}, 3);
    if (two.receive_frame()) break;
    two = connect();
  }
  TestClient three = connect();
  three.send(ApiVersionsRequest{}, 3);
  EXPECT_EQ(three.receive_frame(), std::nullopt);
  EXPECT_EQ(one.ask<ApiVersionsResponse>(ApiVersionsRequest{}, 3).error_code, 0);
}

TEST_F(BrokerTest, TopicsAreMadeOnFirstUseWhereThatIsAllowed) {
  options_.default_partitions = 3;
  start();
  TestClient client = connect();
  for (int16_t version = 0; version <= 12; ++version) {
    SCOPED_TRACE(version);
    const std::string name = "made." + std::to_string(version);
    auto topic = client.ask<MetadataResponse>(about(name, false), version).topics.at(0);
    if (version >= 4) {
      EXPECT_EQ(KafkaError{topic.error_code}, KafkaError::unknown_topic_or_partition);
      topic = client.ask<MetadataResponse>(about(name), version).topics.at(0);
    }
    EXPECT_EQ(topic.error_code, 0);
    EXPECT_EQ(topic.name, name);
    EXPECT_EQ(topic.partitions.size(), 3u);
    EXPECT_EQ(topic.partitions.at(2).leader_id, kNodeId);
    EXPECT_EQ(topic.topic_id.none(), version < 10);
  }
  EXPECT_EQ(KafkaError{client.ask<MetadataResponse>(about("bad name"), 12).topics.at(0).error_code},
            KafkaError::invalid_topic);
  EXPECT_EQ(client.ask<MetadataResponse>(MetadataRequest{}, 12).topics.size(), 13u);
  MetadataRequest none;
  none.topics.emplace();
  EXPECT_EQ(client.ask<MetadataResponse>(none, 1).topics.size(), 0u);
  EXPECT_EQ(client.ask<MetadataResponse>(none, 0).topics.size(), 13u);

  options_.auto_create_topics = false;
  start();
  EXPECT_EQ(KafkaError{connect().ask<MetadataResponse>(about("another"), 12).topics.at(0).error_code},
            KafkaError::unknown_topic_or_partition);
}

TEST_F(BrokerTest, MetadataSaysWhoAndWhere) {
  options_.advertised_host = "kafka.example";
  options_.advertised_port = 1234;
  start();
  make_topic("pin");
  TestClient client = connect();
  MetadataRequest by_id;
  by_id.topics.emplace().push_back({Uuid::from(log_->find_topic("pin")->topic_id), std::nullopt});
  by_id.topics->push_back({Uuid::from("no such topic id"), std::nullopt});
  const auto response = client.ask<MetadataResponse>(by_id, 12);
  EXPECT_EQ(response.cluster_id, log_->cluster_id());
  EXPECT_EQ(response.brokers.at(0).host, "kafka.example");
  EXPECT_EQ(response.brokers.at(0).port, 1234);
  EXPECT_EQ(response.topics.at(0).name, "pin");
  EXPECT_EQ(KafkaError{response.topics.at(1).error_code}, KafkaError::unknown_topic_id);
  const auto cluster = client.ask<DescribeClusterResponse>(DescribeClusterRequest{}, 1);
  EXPECT_EQ(cluster.cluster_id, log_->cluster_id());
  EXPECT_EQ(cluster.brokers.at(0).broker_id, kNodeId);
}

TEST_F(BrokerTest, CreatesTopicsByKafkasRules) {
  start();
  TestClient client = connect();
  const auto made = client.ask<CreateTopicsResponse>(create("pin", 3, 1), 7);
  EXPECT_EQ(error_of(made), KafkaError::none);
  EXPECT_EQ(made.topics.at(0).partitions, 3);
  EXPECT_EQ(made.topics.at(0).replication_factor, 1);
  EXPECT_EQ(made.topics.at(0).topic_id.view(), log_->find_topic("pin")->topic_id);
  const auto error = [&](const CreateTopicsRequest& request) {
    return error_of(client.ask<CreateTopicsResponse>(request, 7));
  };
  EXPECT_EQ(error(create("pin")), KafkaError::topic_already_exists);
  EXPECT_EQ(error(create("bad name")), KafkaError::invalid_topic);
  EXPECT_EQ(error(create("none", 0)), KafkaError::invalid_partitions);
  EXPECT_EQ(error(create("many", 1001)), KafkaError::invalid_partitions);
  EXPECT_EQ(error(create("copies", 1, 3)), KafkaError::invalid_replication_factor);
  CreateTopicsRequest request = create("configured");
  request.topics[0].configs = {{"retention.ms", "12"}, {"max.message.bytes", "99"}};
  EXPECT_EQ(error(request), KafkaError::none);
  EXPECT_EQ(log_->find_topic("configured")->config.retention_ms, 12);
  request = create("misconfigured");
  request.topics[0].configs = {{"no.such.config", "1"}};
  EXPECT_EQ(error(request), KafkaError::invalid_config);
  request = create("assigned");
  request.topics[0].assignments = {{1, {kNodeId}}, {0, {kNodeId}}};
  EXPECT_EQ(error(request), KafkaError::none);
  EXPECT_EQ(log_->find_topic("assigned")->partitions, 2);
  request = create("assigned elsewhere");
  request.topics[0].assignments = {{0, {kNodeId, 2}}};
  EXPECT_EQ(error(request), kInvalidReplicaAssignment);
  request = create("twice");
  request.topics.push_back(request.topics[0]);
  EXPECT_EQ(error(request), KafkaError::invalid_request);
  request = create("only.checked");
  request.validate_only = true;
  EXPECT_EQ(error(request), KafkaError::none);
  EXPECT_EQ(log_->topics().size(), 3u);
}

TEST_F(BrokerTest, DeletesTopicsByNameAndById) {
  start();
  make_topic("pin");
  make_topic("geo");
  TestClient client = connect();
  DeleteTopicsRequest by_name;
  by_name.topic_names = {"pin", "nowhere"};
  auto response = client.ask<DeleteTopicsResponse>(by_name, 4);
  EXPECT_EQ(response.topics.at(0).error_code, 0);
  EXPECT_EQ(KafkaError{response.topics.at(1).error_code}, KafkaError::unknown_topic_or_partition);
  DeleteTopicsRequest by_id;
  by_id.topics.push_back({std::nullopt, Uuid::from(log_->find_topic("geo")->topic_id)});
  response = client.ask<DeleteTopicsResponse>(by_id, 6);
  EXPECT_EQ(response.topics.at(0).error_code, 0);
  EXPECT_EQ(response.topics.at(0).name, "geo");
  response = client.ask<DeleteTopicsResponse>(by_id, 6);
  EXPECT_EQ(KafkaError{response.topics.at(0).error_code}, KafkaError::unknown_topic_id);
  EXPECT_TRUE(log_->topics().empty());
}

TEST_F(BrokerTest, AnOldIdDoesNotReachATopicMadeAnew) {
  start();
  make_topic("pin");
  TestClient client = connect();
  FetchRequest request = fetch("pin", 0);
  request.topics[0].topic_id = Uuid::from(log_->find_topic("pin")->topic_id);
  EXPECT_EQ(only(client.ask<FetchResponse>(request, 13)).error_code, 0);
  DeleteTopicsRequest remove;
  remove.topic_names = {"pin"};
  client.ask<DeleteTopicsResponse>(remove, 4);
  make_topic("pin");
  EXPECT_EQ(KafkaError{only(client.ask<FetchResponse>(request, 13)).error_code}, KafkaError::unknown_topic_id);
  request.topics[0].topic_id = Uuid::from(log_->find_topic("pin")->topic_id);
  EXPECT_EQ(only(client.ask<FetchResponse>(request, 13)).error_code, 0);
}

TEST_F(BrokerTest, AddsPartitions) {
  start();
  make_topic("pin", 2);
  TestClient client = connect();
  const auto grow = [&](const std::string& name, int32_t count, bool only_check = false) {
    CreatePartitionsRequest request;
    request.topics.push_back({.name = name, .count = count});
    request.validate_only = only_check;
    return KafkaError{client.ask<CreatePartitionsResponse>(request, 3).topics.at(0).error_code};
  };
  EXPECT_EQ(grow("pin", 2), KafkaError::invalid_partitions);
  EXPECT_EQ(grow("nowhere", 2), KafkaError::unknown_topic_or_partition);
  EXPECT_EQ(grow("pin", 5, true), KafkaError::none);
  EXPECT_EQ(log_->find_topic("pin")->partitions, 2);
  EXPECT_EQ(grow("pin", 5), KafkaError::none);
  EXPECT_EQ(only(client.ask<ProduceResponse>(produce("pin", batch_of({"x"}), 4), 9)).error_code, 0);
}

TEST_F(BrokerTest, DescribesAndAltersConfigurations) {
  start();
  make_topic("pin");
  TestClient client = connect();
  constexpr int8_t kTopic = 2;
  constexpr int8_t kBroker = 4;
  const auto value = [&](const std::string& name) {
    DescribeConfigsRequest request;
    request.resources.push_back({kTopic, "pin", std::vector<std::string>{name}});
    const auto response = client.ask<DescribeConfigsResponse>(request, 4);
    const auto& config = response.results.at(0).configs.at(0);
    return config.value.value_or("null") + (config.source == 1 ? " set" : " default");
  };
  EXPECT_EQ(value("cleanup.policy"), "delete default");
  AlterConfigsRequest alter;
  alter.resources.push_back({kTopic, "pin", {{"retention.ms", "5"}, {"segment.bytes", "1000"}}});
  EXPECT_EQ(client.ask<AlterConfigsResponse>(alter, 2).resources.at(0).error_code, 0);
  EXPECT_EQ(value("retention.ms"), "5 set");

  const auto change = [&](const std::string& name, int8_t operation, std::optional<std::string> to) {
    IncrementalAlterConfigsRequest request;
    request.resources.push_back({kTopic, "pin", {{name, operation, std::move(to)}}});
    return KafkaError{client.ask<IncrementalAlterConfigsResponse>(request, 1).resources.at(0).error_code};
  };
  EXPECT_EQ(change("max.message.bytes", 0, "200"), KafkaError::none);
  EXPECT_EQ(value("retention.ms"), "5 set");
  EXPECT_EQ(change("cleanup.policy", 2, "compact"), KafkaError::none);
  EXPECT_EQ(value("cleanup.policy"), "delete,compact set");
  EXPECT_EQ(change("cleanup.policy", 3, "delete"), KafkaError::none);
  EXPECT_EQ(value("cleanup.policy"), "compact set");
  EXPECT_EQ(change("retention.ms", 1, std::nullopt), KafkaError::none);
  EXPECT_EQ(value("retention.ms"), "-1 default");
  EXPECT_EQ(change("retention.ms", 0, "soon"), KafkaError::invalid_config);
  EXPECT_EQ(change("retention.ms", 2, "1"), KafkaError::invalid_config);
  EXPECT_EQ(change("no.such.config", 0, "1"), KafkaError::invalid_config);
  EXPECT_EQ(
      KafkaError{only(client.ask<ProduceResponse>(produce("pin", batch_of({std::string(300, 'x')})), 9)).error_code},
      KafkaError::message_too_large)
      << "the topic's own bound holds at once";

  DescribeConfigsRequest of_broker;
  of_broker.resources.push_back({kBroker, "1", std::nullopt});
  of_broker.resources.push_back({kBroker, "2", std::nullopt});
  of_broker.resources.push_back({kTopic, "nowhere", std::nullopt});
  const auto response = client.ask<DescribeConfigsResponse>(of_broker, 4);
  EXPECT_FALSE(response.results.at(0).configs.empty());
  EXPECT_EQ(KafkaError{response.results.at(1).error_code}, KafkaError::invalid_request);
  EXPECT_EQ(KafkaError{response.results.at(2).error_code}, KafkaError::unknown_topic_or_partition);
}

TEST_F(BrokerTest, APortThatIsTakenIsNamed) {
  start();
  BrokerOptions same = options_;
  same.port = broker_->port();
  const auto second = Broker::start(same, *log_, folder_ / "state2");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::unavailable);
  EXPECT_NE(second.error().message.find(std::to_string(same.port)), std::string::npos);
}

TEST_F(BrokerTest, StopAnswersThoseWhoWait) {
  start();
  make_topic("pin");
  TestClient reader = connect();
  const auto asked = reader.send(fetch("pin", 0, 3'600'000), 11);
  TestClient idle = connect();
  EXPECT_EQ(idle.ask<ApiVersionsResponse>(ApiVersionsRequest{}, 3).error_code, 0);
  TestClient writer = connect();
  std::vector<int32_t> produces;
  for (int i = 0; i < 20; ++i) produces.push_back(writer.send(produce("pin", batch_of({"x"}), 0), 9));
  EXPECT_EQ(only(writer.receive<ProduceResponse>(9, produces[0])).base_offset, 0);
  broker_->stop();
  EXPECT_EQ(only(reader.receive<FetchResponse>(11, asked)).error_code, 0);
  EXPECT_EQ(reader.receive_frame(), std::nullopt);
  EXPECT_EQ(idle.receive_frame(), std::nullopt);
  int64_t acknowledged = 1;
  while (writer.receive_frame()) ++acknowledged;
  EXPECT_EQ(acknowledged, log_->offsets("pin", 0)->end) << "what was taken was answered";
  broker_->stop();
  EXPECT_FALSE(connect().connected());
}

}  // namespace
}  // namespace pinflow::kafka
