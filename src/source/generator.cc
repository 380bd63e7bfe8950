#include "source/generator.h"

#include "source/profile.h"

namespace pinflow::source {

struct Generator::Scratch {
  PostState state;
};

Generator::Generator(std::shared_ptr<const Profile> profile, uint64_t seed)
    : profile_(std::move(profile)), seed_(seed), scratch_(std::make_unique<Scratch>()) {
  scratch_->state.chances.resize(profile_->chances.size());
  scratch_->state.things.resize(profile_->things.size());
  scratch_->state.values.resize(profile_->nodes.size());
}
Generator::Generator(const Generator& other) : Generator(other.profile_, other.seed_) {}
Generator::Generator(Generator&&) noexcept = default;
Generator::~Generator() = default;

Result<Generator> Generator::load(const std::filesystem::path& profile, const pipeline::Pipeline& pipeline,
                                  uint64_t seed) {
  auto read = read_profile(profile, pipeline);
  if (!read) return pass(read.error());
  return Generator(std::make_shared<const Profile>(std::move(*read)), seed);
}

void Generator::make(int64_t n) {
  PostState& state = scratch_->state;
  const auto number = static_cast<uint64_t>(n);
  state.number = n;
  for (size_t i = 0; i < profile_->chances.size(); ++i) {
    const Chance& chance = profile_->chances[i];
    const bool possible = (chance.within < 0 || state.chances[static_cast<size_t>(chance.within)] != 0) &&
                          (chance.unless < 0 || state.chances[static_cast<size_t>(chance.unless)] == 0);
    state.chances[i] = possible && Random(seed_, chance.id, number).chance(chance.threshold) ? 1 : 0;
  }
  for (size_t i = 0; i < profile_->things.size(); ++i) {
    const Thing& thing = profile_->things[i];
    state.things[i] = Random(seed_, thing.id, number).below(thing.size, thing.skew);
  }
  for (const size_t i : profile_->order) {
    const Node& node = profile_->nodes[i];
    Random random(seed_, node.id, node.thing < 0 ? number : state.things[static_cast<size_t>(node.thing)]);
    node.maker.make(random, state, state.values[i]);
  }
}

void Generator::post(int64_t n, std::vector<std::string>& json) {
  make(n);
  json.resize(profile_->columns.size());
  for (size_t record = 0; record < json.size(); ++record) {
    std::string& text = json[record];
    text.clear();
    for (size_t i = 0; i < profile_->columns[record].size(); ++i) {
      text += profile_->names[record][i];
      append_json(text, scratch_->state.values[profile_->columns[record][i]]);
    }
    text += '}';
  }
}

void Generator::rows(int64_t n, std::vector<Row>& rows) {
  make(n);
  rows.resize(profile_->columns.size());
  for (size_t record = 0; record < rows.size(); ++record) {
    rows[record].resize(profile_->columns[record].size());
    for (size_t i = 0; i < rows[record].size(); ++i) {
      rows[record][i] = scratch_->state.values[profile_->columns[record][i]];
    }
  }
}

}  // namespace pinflow::source
