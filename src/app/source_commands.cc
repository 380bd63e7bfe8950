#include "app/source_commands.h"

#include <fmt/format.h>

#include "app/counts.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "source/generate.h"
#include "source/load.h"

namespace pinflow::app {
namespace {

source::Progress shown_by(Progress& progress) {
  return [&progress](std::string_view what, int64_t done, int64_t total) { progress.update(what, done, total); };
}

// The folder of a source file of our own must be there before SQLite is.
Result<source::SourceUrl> with_folder(const Context& context) {
  auto source = source_of(context);
  if (!source) return pass(source.error());
  if (!source->chosen) {
    if (auto made = make_folders(context.options.data); !made) return pass(made.error());
  }
  return source->url;
}

}  // namespace

Result<int> source_generate(const Context& context) {
  auto url = with_folder(context);
  if (!url) return pass(url.error());
  source::GenerateOptions options;
  options.posts = context.options.posts.value_or(options.posts);
  options.seed = static_cast<uint64_t>(context.options.seed);
  options.replace = context.options.replace;
  Progress progress(false);
  const Stopwatch watch;
  auto generated = source::generate(*url, context.pipeline, options, shown_by(progress));
  progress.clear();
  if (!generated) return pass(generated.error());
  fmt::print("{} posts in {} ({:.1f} s)\n", grouped(options.posts), url->redacted(), watch.seconds());
  return 0;
}

Result<int> source_load(const Context& context) {
  auto url = with_folder(context);
  if (!url) return pass(url.error());
  Progress progress(false);
  auto loaded = source::load_folder(*url, context.pipeline, context.options.file, shown_by(progress));
  progress.clear();
  if (!loaded) return pass(loaded.error());
  for (const source::Loaded& table : *loaded) {
    fmt::print("{:<20} {} lines read: {} rows added, {} replaced, {} in the table\n", table.table, grouped(table.read),
               grouped(table.added), grouped(table.replaced), grouped(table.rows));
  }
  return 0;
}

Result<int> source_count(const Context& context) {
  auto source = source_of(context);
  if (!source) return pass(source.error());
  auto counts = source::count_rows(source->url, context.pipeline);
  if (!counts) return pass(counts.error());
  if (context.options.format == Format::json) {
    JsonWriter json;
    json.begin_object();
    for (const source::TableCount& table : *counts) json.key(table.table).number(table.rows);
    json.end_object();
    fmt::print("{}\n", json.text());
    return 0;
  }
  const bool csv = context.options.format == Format::csv;
  if (csv) fmt::print("table,rows\n");
  for (const source::TableCount& table : *counts) {
    if (csv) fmt::print("{},{}\n", table.table, table.rows);
    else fmt::print("{:<20} {}\n", table.table, grouped(table.rows));
  }
  return 0;
}

Result<source::SourceUrl> ready_source(const Context& context, Progress& progress) {
  auto source = source_of(context);
  if (!source) return pass(source.error());
  if (source->chosen || std::filesystem::exists(source->url.file)) return source->url;
  if (context.pipeline.generator.empty()) {
    return not_found("no source: name one by --source, or fill {} by `pinflow source load DIR`",
                     source->url.file.string());
  }
  if (auto made = make_folders(context.options.data); !made) return pass(made.error());
  source::GenerateOptions options;
  progress.say(fmt::format("no source is configured: making {} with {} generated posts", source->url.file.string(),
                           grouped(options.posts)));
  auto generated = source::generate(source->url, context.pipeline, options, shown_by(progress));
  if (!generated) return pass(generated.error());
  return source->url;
}

}  // namespace pinflow::app
