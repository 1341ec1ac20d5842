#!/bin/sh
# Writes one C file that holds every template given as a string: the table cg_templates of {name, text}.
set -eu
echo '/* Written by scripts/embed-templates.sh from codegen/templates. */'
echo '#include "codegen/template.h"'
echo 'const cg_template_source cg_templates[] = {'
for file in "$@"; do
    printf '    {"%s",\n' "$(basename "$file" .tmpl)"
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/     "/' -e 's/$/\\n"/' "$file"
    echo '     ""},'
done
echo '};'
echo 'const size_t cg_template_count = sizeof cg_templates / sizeof cg_templates[0];'
