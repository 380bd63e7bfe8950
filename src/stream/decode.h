// What a record's data stands for. Pure.
//
// Data is the bytes that were put. Where these are the base64 text of a JSON value, bare or as a JSON string (what an
// API's template makes of data that was base64 already), that value is the record; else the bytes are.
#pragma once

#include <string>
#include <string_view>

namespace pinflow::stream {

// A view into `data`, or into `decoded`, which is overwritten then.
std::string_view record_of(std::string_view data, std::string& decoded);

}  // namespace pinflow::stream
