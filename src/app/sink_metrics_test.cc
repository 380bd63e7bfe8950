#include "app/sink_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;

sink::SinkCounts counts() {
  sink::SinkCounts counts;
  counts.taken = 1210;
  counts.in_objects = 1200;
  counts.dead = 3;
  counts.objects = 12;
  counts.bytes = 1'234'567;
  counts.partitions = {{"a\"b", 1, 0, 1210, 1203}};
  return counts;
}

TEST(SinkMetrics, AreWhatPrometheusReads) {
  const std::string text = sink_metrics(counts(), {{{"a\"b", 1}, 7}}, false);
  EXPECT_THAT(text, AllOf(HasSubstr("# TYPE pinflow_sink_records_total counter\n"),
                          HasSubstr("pinflow_sink_records_total{result=\"written\"} 1200\n"),
                          HasSubstr("pinflow_sink_records_total{result=\"dead\"} 3\n"),
                          HasSubstr("pinflow_sink_done{topic=\"a\\\"b\",partition=\"1\"} 1203\n"),
                          HasSubstr("pinflow_sink_lag_records{topic=\"a\\\"b\",partition=\"1\"} 7\n"),
                          HasSubstr("pinflow_sink_up 1\n")));
  EXPECT_THAT(sink_metrics(counts(), {}, true), HasSubstr("pinflow_sink_up 0\n"));
}

TEST(SinkMetrics, ALineSaysWhatChanged) {
  sink::SinkCounts before;
  before.in_objects = 1000;
  EXPECT_EQ(sink_line(counts(), before, 10, {{{"t", 0}, 5}, {{"t", 1}, 2}, {{"u", 0}, 0}}),
            "1,200 records in 12 objects (+203 records in 10 s), 3 dead, 1.2 MB, 7 records behind (t 7)");
  Lags many;
  for (int n = 0; n < 7; ++n) many[{"t" + std::to_string(n), 0}] = 1;
  EXPECT_THAT(sink_line(counts(), before, 10, many), HasSubstr("t4 1, and 2 topics more)"));
}

}  // namespace
}  // namespace pinflow::app
