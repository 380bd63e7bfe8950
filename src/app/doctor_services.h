// What `pinflow doctor` asks of the services that a profile names: Kafka, Kinesis, AWS's keys, Spark. Each: is it
// reached, who are we there, does what we need exist, may we use it. Nothing is changed.
#pragma once

#include <optional>

#include "app/context.h"
#include "app/findings.h"
#include "kafka/client/config.h"
#include "object/store.h"

namespace pinflow::app {

// The cluster, whom it takes us for, each topic (there? may we read and write? else, may we make it?), the sink's
// group.
void examine_kafka(const Context& context, Findings& findings);

// The cluster that is logged in to by AWS's keys; nothing where there is none.
std::optional<kafka::ClientConfig> msk_of(const Context& context);

// The keys of the credentials chain, and, where AWS itself is used, whose they are.
void examine_keys(const Context& context, bool lake_in_s3, Findings& findings);

// Each stream: is it there and active, may it be read, may records be put?
void examine_kinesis(const Context& context, Findings& findings);

// The engine: is it reached, as whom, has it Delta Lake, does it read and write the lake? What it writes is removed.
void examine_engine(const Context& context, object::Store& lake, Findings& findings);

}  // namespace pinflow::app
