#include "kafka/codec/api_versions.h"

#include "kafka/codec/fields.h"

namespace pinflow::kafka {

template <class F>
void fields(F& f, ApiVersionsRequest& m) {
  f.since(3, m.client_software_name, m.client_software_version);
}
template struct Codec<ApiVersionsRequest>;

template <class F>
void fields(F& f, ApiVersionsResponse::Range& m) {
  f(m.api_key, m.min_version, m.max_version);
}

template <class F>
void fields(F& f, ApiVersionsResponse::Feature& m) {
  f(m.name, m.min_version, m.max_version);
}

template <class F>
void fields(F& f, ApiVersionsResponse::FinalizedFeature& m) {
  f(m.name, m.max_version_level, m.min_version_level);
}

template <class F>
void fields(F& f, ApiVersionsResponse& m) {
  f(m.error_code, m.apis);
  f.since(1, m.throttle_time_ms);
  if (f.version() >= 3) f.tagged(0, m.supported_features);
  if (f.version() >= 3) f.tagged(1, m.finalized_features_epoch, int64_t{-1});
  if (f.version() >= 3) f.tagged(2, m.finalized_features);
  if (f.version() >= 3) f.tagged(3, m.zk_migration_ready);
}
template struct Codec<ApiVersionsResponse>;

}  // namespace pinflow::kafka
