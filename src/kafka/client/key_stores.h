// Java's stores of keys and certificates: what a file holds is seen by its first bytes, as today's Java does, whatever
// its name says. PKCS#12 and PEM are read, Java's own old form is told from them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace pinflow::kafka {

enum class StoreKind { pem, pkcs12, jks, other };
StoreKind store_kind(std::string_view bytes);

// The certificates of a PKCS#12 trust store, as PEM one after the other. denied: the password is wrong (empty: none
// is given); invalid: it holds none. No message holds the password.
Result<std::string> certificates_of_pkcs12(std::string_view bytes, const std::string& password);
// Whether a PKCS#12 key store opens with the password and has a key with its certificate.
Result<> check_pkcs12_key(std::string_view bytes, const std::string& password);

}  // namespace pinflow::kafka
