// Reading a stream: all its shards, parents before children, reshards followed. A reader has one thread of its own that
// fetches ahead, within bounds; its owner takes what is there.
//
// A shard starts when each of its parents has been read to its end and release()d. Throttled reads are paced (5 a
// second and shard is what AWS allows for all readers together), expired iterators asked for anew behind the last
// record.
//
// What ends a reader (read() gives it, from then on):
//   not_found    the stream is not there (any more)
//   conflict     a stream made anew under the old name: it is not the one that was read before
//   corrupt      a gap: records between the position and the oldest that is left were trimmed by the retention before
//                they were read; or sequence numbers that do not rise
//   denied       credentials or policies; invalid: the service refuses the request
// A service that does not answer is waited for; `trouble` says so.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "kinesis/client/client.h"
#include "kinesis/client/records.h"

namespace pinflow::kinesis {

// Where the reading of a shard goes on.
struct ShardProgress {
  std::string after;   // the last sequence number that was read; empty: none yet, from its oldest record
  bool ended = false;  // read to its end: only its children matter
  // Until then the shard had been read to its tip, `after` being its last record; 0: not known. With it, a position
  // whose record has been trimmed is still known to have no gap behind it, where this is within the retention.
  int64_t complete_ms = 0;
};

struct ReaderOptions {
  std::string stream;
  // As it was read before: another is refused (conflict). Nothing: it is taken as it is.
  std::optional<StreamIdentity> identity;
  // Of the shards that were read before. A shard that is not among them is read from its oldest record.
  std::map<std::string, ShardProgress> progress;
  enum class Begin { oldest, latest, time } begin = Begin::oldest;  // only where `progress` is empty
  int64_t begin_ms = 0;  // with Begin::time: records that arrived from then on

  bool release_by_itself = false;  // children start when their parents were handed out, without release()
  int poll_ms = 0;  // between two reads of a shard that is at its tip; 0: 200 on AWS, else 10, at idle up to 50
  int32_t fetch_records = 10'000;      // of one GetRecords, 1 to 10,000
  size_t max_buffer_bytes = 32 << 20;  // fetched and not yet taken; an answer under way (10 MiB) may come on top
  std::chrono::milliseconds list_every{30'000};  // the stream's identity and its shards are looked at this often too
};

struct ReadLimits {
  size_t records = 10'000;                // at least one block's part is given
  size_t bytes = 8 << 20;                 // of keys and data; one record may exceed it
  std::chrono::milliseconds wait{1'000};  // for the first record or end of a shard
};

struct ReadBatch {
  std::vector<RecordBlock> blocks;  // a shard may have several, in order
  size_t records = 0, bytes = 0;
  bool empty() const { return blocks.empty(); }
};

class Reader {
 public:
  // Waits until the stream has been described and its shards are listed. Errors as above, or unavailable.
  // With `identity` set, or once started, the identity() never changes.
  static Result<std::unique_ptr<Reader>> start(std::shared_ptr<const Endpoint> endpoint, ReaderOptions options);
  virtual ~Reader() = default;  // stops at once

  // ---- the owner's thread -------------------------------------------------------------------------------------------

  // What is there, in turns over the shards; waits for the first. Empty when there is none in time.
  virtual Result<ReadBatch> read(const ReadLimits& limits) = 0;
  // The shard's end, which was handed out before, is committed: its children may start.
  virtual void release(const std::string& shard) = 0;

  // ---- any thread ---------------------------------------------------------------------------------------------------

  // read() returns soon.
  virtual void wake() = 0;
  virtual const StreamIdentity& identity() const = 0;
  virtual const StreamSummary& summary() const = 0;  // as it was at the start
  // Every record that the service had before this time has been handed out (or its shard was ended before); 0: not
  // known yet, or shards wait for release(). On the service's side only MillisBehindLatest tells, on this side our
  // clock.
  virtual int64_t complete_ms() const = 0;
  virtual std::map<std::string, int64_t> complete_ms_by_shard() const = 0;  // of the shards being read
  // Why nothing comes at the moment; empty when all is well.
  virtual std::string trouble() const = 0;
};

// The records of (after, through] of one shard, from oldest to newest: a plan's range, read again. `take` gets them
// block by block, and may end it by an error. `after` may be empty (the shard's oldest record), `through` too (to its
// end, which must have come: a closed shard). Errors as a reader's; corrupt as well where the record `through` is not
// there.
struct ShardRange {
  std::string shard;
  std::string after, through;
  std::string first = {};   // the first record of the range, where it is known: then `after` may have been trimmed
  int64_t complete_ms = 0;  // as of ShardProgress
};
Result<> read_range(const std::shared_ptr<const Endpoint>& endpoint, std::string_view stream, const ShardRange& range,
                    const std::function<Result<>(const RecordBlock&)>& take);

}  // namespace pinflow::kinesis
