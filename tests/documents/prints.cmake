# Whether a program prints what a document says it does.
execute_process(COMMAND "${program}" OUTPUT_VARIABLE found RESULT_VARIABLE status)
file(READ "${expected}" text)
if(NOT status EQUAL 0 OR NOT found STREQUAL text)
  message(FATAL_ERROR "the document says:\n${text}\nthe program (${status}) prints:\n${found}")
endif()
