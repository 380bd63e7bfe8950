#include "app/topic_commands.h"

#include <fmt/format.h>

#include <iostream>

#include "app/counts.h"
#include "base/logging.h"
#include "kafka/client/admin.h"
#include "kafka/client/commands.h"

namespace pinflow::app {
namespace {

Result<kafka::ClientConfig> cluster_of(const Context& context) {
  auto address = listen_address(context, "broker", false);
  if (!address) return pass(address.error());
  return kafka_config(context, address->text());
}

kafka::Output output_of(const Context& context) {
  return context.options.format == Format::json ? kafka::Output::json : kafka::Output::text;
}

// A command's end as the program's: its streams flushed, 0 when it was well.
Result<int> ended(const Result<>& done) {
  std::cout.flush();
  if (!done) return pass(done.error());
  return 0;
}

}  // namespace

Result<int> create_topics(const Context& context) {
  auto config = cluster_of(context);
  if (!config) return pass(config.error());
  kafka::NewTopic topic;
  topic.partitions = context.options.partitions;
  for (const std::string& text : context.options.configs) {
    auto setting = kafka::topic_config(text);
    if (!setting) return pass(setting.error());
    topic.configs.push_back(std::move(*setting));
  }
  if (!context.options.topic.empty()) {
    topic.name = context.options.topic;
    return ended(kafka::create_topic_command(*config, topic, std::cout));
  }
  for (const pipeline::RecordType& record : context.pipeline.records) {
    topic.name = record.topic;
    auto made = kafka::create_topic_command(*config, topic, std::cout);
    if (!made && made.error().code == Code::already_exists) fmt::print("Topic {} is there already.\n", topic.name);
    else if (!made) return pass(made.error());
    std::cout.flush();
  }
  return 0;
}

Result<int> list_topics(const Context& context) {
  auto config = cluster_of(context);
  if (!config) return pass(config.error());
  return ended(kafka::list_topics_command(*config, output_of(context), std::cout));
}

Result<int> describe_topics(const Context& context) {
  auto config = cluster_of(context);
  if (!config) return pass(config.error());
  std::vector<std::string> topics;
  if (!context.options.topic.empty()) topics.push_back(context.options.topic);
  return ended(kafka::describe_topics_command(*config, std::move(topics), output_of(context), std::cout));
}

Result<int> delete_topic(const Context& context) {
  auto config = cluster_of(context);
  if (!config) return pass(config.error());
  return ended(kafka::delete_topic_command(*config, context.options.topic, std::cout));
}

Result<int> produce(const Context& context) {
  auto config = cluster_of(context);
  if (!config) return pass(config.error());
  auto counts = kafka::produce_command(*config, context.options.topic, std::cin);
  if (!counts) return pass(counts.error());
  if (context.options.format == Format::json) {
    fmt::print("{{\"lines\":{},\"acknowledged\":{}}}\n", counts->lines, counts->acknowledged);
  } else {
    fmt::print("{} of {} lines acknowledged\n", grouped(counts->acknowledged), grouped(counts->lines));
  }
  if (!counts->first_failure.empty()) error("{}", counts->first_failure);
  return counts->complete() ? 0 : 1;
}

Result<int> consume(const Context& context) {
  auto config = cluster_of(context);
  if (!config) return pass(config.error());
  const Options& o = context.options;
  kafka::ConsumeOptions options;
  options.topic = o.topic;
  options.group = o.group;
  options.from_beginning = o.from_beginning;
  options.max_messages = o.max_messages;
  options.timeout_ms = o.timeout_ms;
  options.until_end = o.until_end;
  options.output = output_of(context);
  auto printed = kafka::consume_command(*config, options, std::cout);
  std::cout.flush();
  if (!printed) return pass(printed.error());
  if (options.output == kafka::Output::text) fmt::print(stderr, "Processed a total of {} messages\n", *printed);
  return 0;
}

}  // namespace pinflow::app
