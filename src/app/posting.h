// The emulator as the commands use it: over the context's source, against a URL.
#pragma once

#include <memory>
#include <string>

#include "app/context.h"
#include "app/progress.h"
#include "base/error.h"
#include "emulate/emulator.h"

namespace pinflow::app {

// Posts as the options say (--posts, --all, or endless) to the invoke URL, and shows how far it is.
Result<emulate::EmulateCounts> post_all(const Context& context, const std::string& url, Progress& progress,
                                        emulate::Legs legs = {});

// `pinflow emulate`: ends with the counts; 0 when every record was acknowledged and nothing cut it short but Ctrl-C.
Result<int> run_emulate(const Context& context);

// Posts in the background, --rate posts a second, until a stop is asked for.
class BackgroundPosting {
 public:
  static Result<BackgroundPosting> start(const Context& context, const std::string& url, emulate::Legs legs = {});
  BackgroundPosting(BackgroundPosting&&) noexcept;
  ~BackgroundPosting();

  // A stop has been asked for: waits for the answers under way, and says what was counted.
  void finish();

 private:
  struct State;
  explicit BackgroundPosting(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pinflow::app
