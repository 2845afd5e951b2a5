#ifndef XML_H
#define XML_H

#include <stddef.h>

#include "fault.h"

/*
 * The few XML answers of an S3 store, over libxml2: no network, no DTD, no
 * entities, namespaces ignored, at most XML_MAX bytes. CORRUPT when it is not
 * well formed or not what was asked for; SYSTEM when libxml2, which is loaded
 * with the first document, is not to be had.
 */

#define XML_MAX (16U << 20)

struct xml; /* a parsed document */

int xml_parse(struct xml **out, const void *data, size_t len, struct fault *f);
void xml_free(struct xml *x);
/* Local name of the root element; belongs to the document. */
const char *xml_root(const struct xml *x);

/* Elements are opaque; NULL stands for "none". */
struct xml_node;
const struct xml_node *xml_top(const struct xml *x);
/* First child element with that name, and the next sibling of the same name */
const struct xml_node *xml_child(const struct xml_node *n, const char *name);
const struct xml_node *xml_next(const struct xml_node *n);
/* Text of the first child element with that name, "" when empty, NULL when
 * there is none or it holds elements. Belongs to the document. */
const char *xml_text(const struct xml_node *n, const char *name);

#endif
