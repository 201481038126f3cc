# Turns a file into a C++ source that holds its bytes:
#   cmake -DINPUT=<file> -DOUTPUT=<source> -DNAME=<function in compare::embedded> -P embed.cmake
# An empty INPUT gives an empty text.
cmake_minimum_required(VERSION 3.25)
set(bytes "")
if(INPUT)
  file(READ "${INPUT}" bytes HEX)
endif()
string(REGEX REPLACE "(................................................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(
  WRITE "${OUTPUT}"
  "#include \"embedded.hpp\"\n\nnamespace {\n\n"
  "// A zero at the end, not part of the text: an empty array would not compile.\n"
  "constexpr unsigned char data[] = {${bytes}0};\n\n"
  "}  // namespace\n\n"
  "std::string_view compare::embedded::${NAME}() {\n"
  "  return {reinterpret_cast<const char*>(data), sizeof data - 1};\n}\n")
