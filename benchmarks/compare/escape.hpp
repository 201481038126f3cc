// Text inside HTML, XML and SVG.
#ifndef TANDEM_COMPARE_ESCAPE_HPP
#define TANDEM_COMPARE_ESCAPE_HPP

#include <string>
#include <string_view>

namespace compare {

/// `text` with &, <, > and double quotes written so that they stand for themselves, also in an attribute.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace compare

#endif
