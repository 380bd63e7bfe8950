// What the tests of this room share: a small pipeline that is not of posts, the posts' own, objects put by hand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lake/batch.h"
#include "object/store.h"
#include "pipeline/pipeline.h"
#include "sql/value.h"

namespace pinflow::lake {

// Record types `reading` (sensor, value, taken: table `readings`, key sensor) and `note` (id, words: table `notes`),
// and the queries `mean` and `labelled`.
pipeline::Pipeline sensors();

// pipelines/pinterest of this repository.
pipeline::Pipeline posts();

// An object of a topic, from that offset on; each line gets its newline.
void put_object(object::Store& store, const std::string& topic, int64_t first_offset,
                const std::vector<std::string>& lines, int partition = 0);
// The same with bytes as they are.
void put_bytes(object::Store& store, const std::string& topic, int64_t first_offset, std::string_view bytes,
               int partition = 0);

void put_marker(object::Store& store, const std::string& topic, const std::string& cluster_id,
                const std::string& topic_id);

// {"sensor":3,"value":"1.5","taken":"2026-11-20 10:00:00"}
std::string reading(int sensor, const std::string& value = "1.5");

// A SELECT over the lake's tables as text, a row a line, cells between '|', NULL as it is.
std::string rows(const pipeline::Pipeline& pipeline, object::Store& store, const std::string& sql);

// "readings raw=4 clean=2 duplicates=1 dead=1 0->2"; with `noted`, those counts that are not 0 too.
std::string counts(const BatchReport& report, const std::string& table, bool noted = false);

// run_batch without answers; a failure is a test failure.
BatchReport batch(const pipeline::Pipeline& pipeline, object::Store& store);

}  // namespace pinflow::lake
