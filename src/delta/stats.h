// The statistics of a data file: add.stats (PROTOCOL.md, "Per-file Statistics"). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "delta/parquet_footer.h"
#include "delta/schema.h"

namespace pinflow::delta {

// Columns beyond these have no statistics, as with other writers.
inline constexpr size_t kMaxStatsColumns = 32;
// Characters of a text in minValues and maxValues.
inline constexpr size_t kStatsPrefix = 32;

// {"numRecords":2,"minValues":{…},"maxValues":{…},"nullCount":{…},"tightBounds":true}. Smallest and greatest values of
// texts, integers, dates and timestamps; nullCount of these and of booleans and floating point numbers (whose bounds
// are left out: NaN, -0.0). Lists have none. A value that the footer does not say is left out.
std::string make_stats(const ParquetFooter& footer, const std::vector<Column>& columns);

// The first kStatsPrefix characters, which is no greater than the text.
std::string lower_bound(std::string_view text);
// A text of at most kStatsPrefix characters that is no less than the text, in the order of UTF-8's bytes; empty where
// there is none.
std::string upper_bound(std::string_view text);

}  // namespace pinflow::delta
