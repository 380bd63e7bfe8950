#include <fmt/format.h>

#include "app/doctor_services.h"
#include "kafka/client/access.h"
#include "kafka/client/admin.h"

namespace pinflow::app {
namespace {

// "SASL_SSL, SCRAM-SHA-512"
std::string manner_of(const kafka::ClientConfig& config) {
  std::string text = config.uses_tls() ? "TLS" : "no TLS";
  if (config.uses_sasl()) text += ", " + (config.msk_iam ? "AWS_MSK_IAM" : config.get("sasl.mechanism"));
  return text;
}

// What is wrong with a topic for who reads and writes it; empty: nothing.
std::string fault_of(const kafka::TopicAccess& topic, const kafka::ClusterAccess& cluster, const std::string& who) {
  if (topic.denied)
    return fmt::format(
        "{} may not even ask for it: allow Describe, Read and Write (MSK: kafka-cluster:DescribeTopic, ReadData, "
        "WriteData)",
        who);
  if (!topic.exists) {
    if (cluster.may_create_topics == false)
      return fmt::format(
          "it is not there, and {} may not make it: have it made, or allow Create on the cluster (MSK: "
          "kafka-cluster:CreateTopic)",
          who);
    return "";
  }
  std::string missing;
  if (topic.may_read == false) missing += "Read (MSK: kafka-cluster:ReadData)";
  if (topic.may_write == false)
    missing += std::string(missing.empty() ? "" : " and ") + "Write (MSK: kafka-cluster:WriteData)";
  return missing.empty() ? "" : fmt::format("{} may not use it: allow {}", who, missing);
}

std::string state_of(const kafka::TopicAccess& topic) {
  if (!topic.exists) return "is not there yet; `run`, `up` and `pinflow topics create` make it";
  if (topic.may_read && topic.may_write) return "is there, may be read and written";
  return "is there; the cluster does not say what we may do with it";
}

// Whether the sink may keep its place.
void examine_group(const kafka::ClientConfig& config, const std::string& group, Findings& findings) {
  auto admin = kafka::Admin::open(config);
  if (!admin) return findings.bad("group", admin.error().message);
  auto offsets = (*admin)->group_offsets(group);
  if (!offsets) {
    return findings.bad(
        "group", offsets.error().message + "; allow Read on the group (MSK: kafka-cluster:AlterGroup, DescribeGroup)");
  }
  auto allowed = kafka::may_read_group(config, group);
  if (!allowed) return findings.bad("group", allowed.error().message);
  if (!*allowed) {
    return findings.bad("group", fmt::format("{}: the sink may not keep its place there: allow Read on the group (MSK: "
                                             "kafka-cluster:AlterGroup)",
                                             group));
  }
  findings.well("group", offsets->empty() ? fmt::format("{}: has read nothing yet", group)
                                          : fmt::format("{}: has its place in {} partitions", group, offsets->size()));
}

}  // namespace

std::optional<kafka::ClientConfig> msk_of(const Context& context) {
  if (!names_a_cluster(context)) return std::nullopt;
  auto config = read_kafka_config(context, "");
  if (!config || !config->msk_iam) return std::nullopt;
  return std::move(*config);
}

void examine_kafka(const Context& context, Findings& findings) {
  auto config = read_kafka_config(context, "");
  if (!config) return findings.bad("kafka", config.error().message);
  std::vector<std::string> topics;
  for (const pipeline::RecordType& record : context.pipeline.records) topics.push_back(record.topic);
  auto cluster = kafka::read_access(*config, topics);
  if (!cluster) return findings.bad("kafka", cluster.error(), "--bootstrap-server, bootstrap.server");
  const auto principal = kafka::principal_of(*config);
  const std::string who = principal ? *principal : "this client";
  findings.well("kafka", fmt::format("{}: cluster {}, {} broker{}, as {} ({})", config->bootstrap_servers,
                                     cluster->cluster_id.empty() ? "unknown" : cluster->cluster_id, cluster->brokers,
                                     cluster->brokers == 1 ? "" : "s", who, manner_of(*config)));
  for (const std::string& name : topics) {
    const kafka::TopicAccess& topic = cluster->topics[name];
    const std::string fault = fault_of(topic, *cluster, who);
    if (fault.empty()) findings.well("topic", fmt::format("{} {}", name, state_of(topic)));
    else findings.bad("topic", fmt::format("{}: {}", name, fault));
  }
  examine_group(*config, "connect-" + context.pipeline.id, findings);
}

}  // namespace pinflow::app
