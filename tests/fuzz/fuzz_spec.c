/* SPDX-License-Identifier: MIT */
/*
 * fuzz_spec.c - the reader of specs under a fuzzer: parsing, overrides, option tables, the resolved
 * spec written and read again.
 *
 * An input is a spec; behind each form feed stands an override. `make check` runs the corpus. To
 * look for more, with clang's libFuzzer, in the build folder:
 *
 *     make fuzzers
 *     mkdir new
 *     tests/fuzz/spec.fuzzer -dict=SOURCE/tests/fuzz/spec.dict -max_len=4096 -timeout=10 \
 *             -max_total_time=900 new SOURCE/tests/fuzz/corpus/spec
 *
 * An input that is a finding is left behind as crash-*: mend the fault, then add the input to the
 * corpus under a name that says what it was. What is new and sound is merged into the corpus, where
 * it adds coverage, by:
 *
 *     tests/fuzz/spec.fuzzer -merge=1 -max_len=4096 SOURCE/tests/fuzz/corpus/spec new
 */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "fuzz.h"
#include "config/tree.h"
#include "tests/spec_table.h"

enum { MAX_OVERRIDES = 8, MEMORY = 256 << 20 };

/* One input at work. */
struct input {
        struct pxr_arena *arena;
        struct pxr_diag *diag;
        struct pxr_source source;
        const char *override[MAX_OVERRIDES];
        int overrides;
};

/* Cut the input at its form feeds. */
static void cut(struct input *input, const char *data, size_t size)
{
        const char *end = data + size, *stop = memchr(data, '\f', size);

        input->source = (struct pxr_source) { "x", data, stop ? (size_t)(stop - data) : size };
        while (stop && input->overrides < MAX_OVERRIDES) {
                const char *next = memchr(stop + 1, '\f', (size_t)(end - stop - 1));
                char *text = pxr_strndup(input->arena, stop + 1,
                                         (size_t)((next ? next : end) - stop - 1));

                MUST(text);
                input->override[input->overrides++] = text;
                stop = next;
        }
}

/* --- trees -------------------------------------------------------------------------------------
 */

/* Where a mark points in its source. */
static const char *find(const struct pxr_location *mark)
{
        const char *at = mark->source->text, *end = at + mark->source->size;

        for (int line = 1; line < mark->line; line++) {
                while (!pxr_line_break(at, end))
                        MUST(at++ < end);
                at += pxr_line_break(at, end);
        }
        for (int column = 1; column < mark->column; column++) {
                MUST(at < end);
                at += pxr_step(at, end);
        }
        return at;
}

/* A plain scalar on one line is what its mark points at, unless that begins with its anchor. */
static void check_marks(const struct pxr_yaml *node)
{
        const char *at;

        for (const struct pxr_yaml *child = node->first; child; child = child->next) {
                MUST(child->parent == node);
                check_marks(child);
        }
        if (node->kind != PXR_YAML_SCALAR || node->quoted || !*node->text ||
            node->location.length != pxr_characters(node->text, strchr(node->text, '\0')))
                return;
        at = find(&node->location);
        MUST(*at == '&' || strncmp(at, node->text, strlen(node->text)) == 0);
}

/* Is the text one that has a meaning of its own when it is not quoted? */
static bool means_something(const char *text)
{
        struct pxr_yaml node = { .kind = PXR_YAML_SCALAR, .text = text };
        int64_t integer;
        double real;

        return pxr_yaml_empty(&node) || pxr_parse_int(text, &integer) != PXR_NO_NUMBER ||
               pxr_parse_real(text, &real) != PXR_NO_NUMBER || strcasecmp(text, "true") == 0 ||
               strcasecmp(text, "false") == 0;
}

static void check_same(const struct pxr_yaml *a, const struct pxr_yaml *b)
{
        MUST(a->kind == b->kind && a->count == b->count && !a->key == !b->key);
        MUST(!a->key || strcmp(a->key, b->key) == 0);
        if (a->kind == PXR_YAML_SCALAR) {
                MUST(strcmp(a->text, b->text) == 0);
                MUST(a->quoted == b->quoted || (b->quoted && !means_something(a->text)));
        }
        for (a = a->first, b = b->first; a && b; a = a->next, b = b->next)
                check_same(a, b);
        MUST(!a && !b);
}

/* Write a tree and read it again: it must be the same, and be written the same. */
static struct pxr_yaml *there_and_back(struct input *input, const struct pxr_yaml *root,
                                       struct pxr_source *source)
{
        char *text = pxr_yaml_emit(input->arena, root, input->diag), *again;
        struct pxr_yaml *back;

        MUST(text);
        *source = (struct pxr_source) { "again", text, strlen(text) };
        back = pxr_yaml_parse(input->arena, source, input->diag);
        MUST(back);
        if (!pxr_yaml_empty(root))
                check_same(root, back);
        again = pxr_yaml_emit(input->arena, back, input->diag);
        MUST(again && (strcmp(text, again) == 0 || pxr_yaml_empty(root)));
        return back;
}

/* --- what is run -------------------------------------------------------------------------------
 */

static struct pxr_yaml *compose(struct input *input)
{
        struct pxr_bounds bounds = PXR_SPEC_BOUNDS;
        struct pxr_yaml *root =
                pxr_yaml_parse_at(input->arena, &input->source, 0, &bounds, input->diag);
        bool bom = input->source.size >= 3 && memcmp(input->source.text, "\xEF\xBB\xBF", 3) == 0;
        bool sound = true;
        struct pxr_source source;

        if (!root)
                return NULL;
        if (!bom)
                check_marks(root);
        there_and_back(input, root, &source);
        if (pxr_yaml_empty(root))
                pxr_yaml_become_mapping(root);
        for (int i = 0; i < input->overrides; i++)
                if (pxr_yaml_override(input->arena, root, input->override[i], NULL, &bounds,
                                      input->diag))
                        sound = false;
        if (sound)
                there_and_back(input, root, &source);
        return sound ? root : NULL;
}

/* A spec that is sound is so again when it is read from its resolved form, and means the same. */
static void check_resolved(struct input *input, const struct pxr_yaml *root,
                           const struct table *table)
{
        struct pxr_source first, second;
        struct pxr_yaml *back = there_and_back(input, root, &first);
        struct table again;

        MUST(table_read(input->arena, back, &again, input->diag) == 0);
        there_and_back(input, back, &second);
        MUST(strcmp(first.text, second.text) == 0);
        MUST(table->flag == again.flag && table->whole == again.whole &&
             table->seed == again.seed && table->real == again.real && table->mask == again.mask &&
             table->splits == again.splits && table->every.count == again.every.count &&
             table->every.unit == again.every.unit && table->inner.depth == again.inner.depth &&
             table->optimizer.variant == again.optimizer.variant);
        MUST(!table->note == !again.note && (!table->note || strcmp(table->note, again.note) == 0));
        MUST(strcmp(table->name, again.name) == 0);
}

static void explain(struct input *input, struct pxr_yaml *root)
{
        char *text = pxr_yaml_explain(input->arena, root, "", input->diag);

        MUST(text);
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
                MUST(pxr_one_line(line));
        for (int i = 0; i < input->overrides; i++)
                pxr_yaml_explain(input->arena, root, input->override[i], input->diag);
        pxr_diag_clear(input->diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct pxr_diag *diag = pxr_diag_new();
        struct input input = { .arena = pxr_arena_new(MEMORY, diag), .diag = diag };
        struct pxr_yaml *root;
        struct table table;
        int status;

        MUST(input.arena && input.diag);
        cut(&input, (const char *)data, size);
        root = compose(&input);
        fuzz_check_errors(input.diag, !root);
        if (root) {
                explain(&input, root);
                status = table_read(input.arena, root, &table, input.diag);
                fuzz_check_errors(input.diag, status != 0);
                if (status == 0)
                        check_resolved(&input, root, &table);
                explain(&input, root);
        }
        pxr_diag_free(input.diag);
        pxr_arena_free(input.arena);
        return 0;
}
