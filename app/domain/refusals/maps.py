"""Why a map, or a whole map set, is not taken.

docs/map-sets.md shows them as a table; a test holds the two together.
"""

from app.domain.refusals.refusal import Refusal

MAPS_NOT_PACKED = "The content is no zip, tar or npz: pack the maps as one."

NO_SAMPLE = Refusal(
    "map-of-no-sample",
    "Nothing in the data set has that name, or no image of that name could be read",
    "The data set has no readable sample of the name {name}.",
    "Name the map as the sample is named (GET /v1/datasets/ID/samples), with or without its ending.",
)
AMBIGUOUS_NAME = Refusal(
    "map-name-ambiguous",
    "A name without folders or ending fits several samples",
    "The name {name} fits several samples.",
    "Name the map as the sample is named, folders and ending included.",
)
SECOND_MAP = Refusal(
    "map-twice",
    "The upload has another map of the same sample and view, which was taken",
    "The sample {name} has a map already, from {first}.",
    "Send one map a sample; maps of several people are several map sets.",
)
OTHER_SIZE = Refusal(
    "map-size-differs",
    "Of handed out images, a map is larger or smaller than those before it",
    "The map {name} has {size} cells, and those before it {first}.",
    "Send maps of one size: measures compare those of changed images with those of clean ones.",
)
MANIFEST_MISSING = Refusal(
    "map-manifest-missing",
    "The set has an input_size, so that its maps are of handed out images, and no manifest says of which",
    "The upload has no views-images.jsonl.",
    "Pack the maps with the manifests that came with the images, or register a set without input_size.",
)
MANIFEST_LINE = Refusal(
    "map-manifest-invalid",
    "A line of a manifest is not as it was handed out, another line has its map, or its image was made by another "
    "protocol or of another data set",
    "Line {line} of {name}: {what}.",
    "Pack the manifests as they came with the images of one audit, of the data set that the map set is of.",
)
OTHER_CLEAN_MAP = Refusal(
    "map-of-another-clean-map",
    "An image was changed by a clean map (degradation), and the clean map beside it is another one",
    "The clean map of {name} is not the one by which its image in the view {view} was changed; so with {count} maps.",
    "Send the clean maps of the set whose images these are. Where they have changed: fill a set with them, fetch the "
    "images that follow them (needs=maps, of that set), and make the maps of those again.",
)
NO_MAP_FILE = Refusal(
    "map-unsupported-type",
    "The file is neither an image nor an array, nor a list of polygons or fixations",
    "The file is no map: {what}.",
    "Send images, .npy, .npz, JSON of COCO or LabelMe, or CSV of fixations.",
)
PICTURE_UNREADABLE = Refusal(
    "map-unreadable",
    "An image of a map is damaged, too large, or ended the process that decoded it",
    "The map cannot be read: {what}",
    "Save it again, as PNG or .npy.",
)
ARRAY_UNREADABLE = Refusal(
    "map-array-invalid",
    "A .npy holds something else than one map of plain numbers: objects, text, another number of axes",
    "The array is no map: {what}.",
    "Save one array of numbers (height, width) with numpy.save.",
)
ANNOTATION_INVALID = Refusal(
    "map-annotation-invalid",
    "JSON of COCO or LabelMe is not as these tools write it, or draws what is not read",
    "The annotation cannot be drawn: {what}.",
    "Export it as polygons or run lengths, or send masks.",
)
TOO_MANY_IMAGES = Refusal(
    "map-file-too-long",
    "One file of annotations or fixations speaks of more than 100,000 images",
    "The file speaks of {count} images; the limit is {most}.",
    "Split it: one upload may have several such files.",
)
FIXATIONS_INVALID = Refusal(
    "map-fixations-invalid",
    "A list of fixations lacks a column, or has rows without numbers",
    "The fixations cannot be read: {what}.",
    "Send columns image, x, y (pixels of the image) and, if known, duration.",
)
FIXATIONS_WITHOUT_SIGMA = Refusal(
    "map-fixations-without-sigma",
    "Fixations came, but the map set says no Gaussian",
    "A list of fixations becomes a map by a Gaussian, and the map set states none.",
    "Register it again with sigma, in pixels of the image; one degree of visual angle is usual.",
)
SIZE_UNKNOWN = Refusal(
    "map-size-unknown",
    "A file speaks of an image of which neither it nor the data set tells the size",
    "Neither the data set nor the file says how large the image {name} is.",
    "State its width and height in the file, or name the image as the sample is named (GET /v1/datasets/ID/samples).",
)
NOT_FINITE = Refusal(
    "map-not-finite",
    "A map has NaN or infinite values",
    "{count} of its values are not finite.",
    "Say with numbers where there is salience and where there is none: 0.",
)
OVER_QUOTA = Refusal(
    "map-set-over-quota",
    "With the maps of this set, which are kept as numbers, the tenant would have more bytes than its quota",
    "The maps of this set take {size} bytes. {why}",
    "Delete what is not used, or send fewer or smaller maps.",
)
NOTHING_TAKEN = Refusal(
    "map-set-empty",
    "Nothing in the upload is a map of a sample of the data set",
    "The upload has no map of a sample of the data set. {why}",
    "GET /v1/map-sets/ID/maps lists what came, each with its reason.",
)
