namespace Headstart.Tests.Uploads.Formats;

/// <summary>What another tool writes for a detection model, to the letter.</summary>
/// <param name="Format">As its users call it; empty for one more sample.</param>
/// <param name="Boxes">How its boxes are read.</param>
/// <param name="Files">Names of images, and annotations as <c>name=content</c>, with lines ended by <c>↵</c>.</param>
/// <param name="Expected">The images that the model then has, as in <see cref="DetectionUploads.RowsAsync"/>.</param>
internal sealed record BoxSample(string Format, string Boxes, string[] Files, params string[] Expected)
{
    public const string A = "cat 0.25 0.5 0.25 0.25"; // 4, 8 to 8, 12 in the 16 x 16 pixels of the images
    public const string B = "dog 0 0 0.5 0.25";

    public static IReadOnlyList<BoxSample> All { get; } =
    [
        new("COCO JSON", "`bbox` in pixels, otherwise the box around the polygons; boxes with `iscrowd` (or `ignore`, `difficult`) "
            + "are kept as difficult; a listed image without annotations has no objects",
            ["annotations/instances_train2017.json={\"images\":[{\"id\":1,\"file_name\":\"a.png\",\"width\":16,\"height\":16},{\"id\":2,\"file_name\":"
                + "\"b.png\",\"width\":16,\"height\":16},{\"id\":3,\"file_name\":\"d.png\"}],\"annotations\":[{\"id\":1,\"image_id\":1,\"category_id\":17,"
                + "\"bbox\":[4,8,4,4],\"iscrowd\":0},{\"id\":2,\"image_id\":1,\"category_id\":18,\"bbox\":[0,0,8,4],\"iscrowd\":1},{\"id\":3,"
                + "\"image_id\":3,\"category_id\":17,\"segmentation\":[[4,8,8,8,6,12]]}],\"categories\":[{\"id\":17,\"name\":\"cat\"},{\"id\":18,"
                + "\"name\":\"dog\"}]}", "train2017/a.png", "train2017/b.png", "train2017/c.png", "train2017/d.png"],
            $"train train2017/a.png: {A}, {B}!", "train train2017/b.png: nothing", "train train2017/c.png: ?", $"train "
                + $"train2017/d.png: {A}"),
        new("", "", ["c.json={\"images\":[{\"id\":1,\"file_name\":\"K\u00e4se.png\"}],\"annotations\":[{\"image_id\":1,\"category_id\":1,"
            + "\"bbox\":[4,8,4,4]}],\"categories\":[{\"id\":1,\"name\":\"cat\"}]}", "shop/Ka\u0308se.png"], // as macOS writes it
            $"shop/Ka\u0308se.png: {A}"),
        new("Pascal VOC", "`bndbox` in pixels, without those of parts; `difficult` is kept; in a file without objects the image has none",
            ["VOC/Annotations/a.xml=<annotation><filename>a.png</filename><size><width>16</width><height>16</height><depth>3</depth>"
                + "</size><object>"
                + "<name>cat</name><truncated>1</truncated><difficult>0</difficult><bndbox><xmin>4</xmin><ymin>8</ymin><xmax>8</xmax>"
                + "<ymax>12</ymax>"
                + "</bndbox><part><name>head</name><bndbox><xmin>5</xmin><ymin>5</ymin><xmax>6</xmax><ymax>6</ymax></bndbox></part>"
                + "</object><object>"
                + "<name>dog</name><bndbox><xmax>8.0</xmax><xmin>0</xmin><ymax>4</ymax><ymin>0</ymin></bndbox><difficult>1</difficult>"
                + "</object>"
                + "</annotation>", "VOC/Annotations/b.xml=<annotation><filename>b.png</filename><size><width>0</width></size></annotation>",
                "VOC/JPEGImages/a.png", "VOC/JPEGImages/b.png", "VOC/JPEGImages/c.png", "VOC/SegmentationClass/a.png",
                "VOC/ImageSets/Main/train.txt=a↵", "VOC/ImageSets/Main/test.txt=b↵c↵"],
            $"train VOC/JPEGImages/a.png: {A}, {B}!", "test VOC/JPEGImages/b.png: nothing", "test VOC/JPEGImages/c.png: ?"),
        new("YOLO", "boxes, and the boxes around segmentation shapes; with an empty text file the image has no objects; "
            + "predictions (with a fifth number): refused",
            ["data.yaml=train: ../train/images↵nc: 2↵names: ['cat', \"dog\"]↵", "train/images/a.png",
                "train/labels/a.txt=0 0.375 0.625 0.25 0.25↵1 0 0 0.5 0 0.5 0.25 0 0.25↵", "train/images/b.png", "train/labels/b.txt=",
                "valid/images/c.png"],
            $"train train/images/a.png: {A}, {B}", "train train/images/b.png: nothing", "train valid/images/c.png: ?"),
        new("Label Studio", "rectangles, polygons and ellipses in percent; rotated ones: refused; a task with an empty answer has "
            + "no objects, one without an answer is unlabelled",
            ["project.json=[{\"id\":1,\"annotations\":[{\"result\":[{\"original_width\":16,\"original_height\":16,\"image_rotation\":0,\"value\":{\"x\":25,"
                + "\"y\":50,\"width\":25,\"height\":25,\"rotation\":0,\"rectanglelabels\":[\"cat\"]},\"type\":\"rectanglelabels\"}]}],\"data\":{\"image\":"
                + "\"/data/upload/1/a1b2c3d4-a.png\"}},{\"id\":2,\"annotations\":[{\"result\":[]}],\"data\":{\"image\":\"b.png\"}},{\"id\":3,"
                + "\"annotations\":[],\"data\":{\"image\":\"c.png\"}}]", "a.png", "b.png", "c.png"],
            $"a.png: {A}", "b.png: nothing", "c.png: ?"),
        new("", "", ["export.csv=image,id,label,annotator,annotation_id,lead_time↵/data/upload/1/a1b2c3d4-a.png,1,\"[{\"\"x\"\":25,\"\"y\"\":50,\"\"width\"\":25,"
            + "\"\"height\"\":25,\"\"rotation\"\":0,\"\"rectanglelabels\"\":[\"\"cat\"\"],\"\"original_width\"\":16,\"\"original_height\"\":16}]\",1,1,3↵",
            "a.png"], $"a.png: {A}"),
        new("CVAT", "boxes, polygons, ellipses and masks of \"CVAT for images 1.1\"; rotated ones: refused; a listed image without "
            + "shapes has no objects",
            ["annotations.xml=<annotations><version>1.1</version><image id=\"0\" name=\"a.png\" width=\"16\" height=\"16\"><box label=\"cat\" xtl=\"4\" "
                + "ytl=\"8\" xbr=\"8\" ybr=\"12\" occluded=\"0\"/><polygon label=\"dog\" points=\"0,0;8,0;4,4\"></polygon></image>"
                + "<image id=\"1\" name=\"b.png\" width=\"16\" height=\"16\"/></annotations>", "images/a.png", "images/b.png"],
            $"images/a.png: {A}, {B}", "images/b.png: nothing"),
        new("Azure Custom Vision", "regions; an image with the tag `[Negative]` has no objects, one without tags and regions is unlabelled",
            ["tagged.json=[{\"id\":\"a\",\"width\":16,\"height\":16,\"originalImageUri\":\"https://example.com/i/a\",\"tags\":[{\"tagName\":\"cat\"}],\"regions\":"
                + "[{\"tagName\":\"cat\",\"left\":0.25,\"top\":0.5,\"width\":0.25,\"height\":0.25}]},{\"id\":\"b\",\"originalImageUri\":"
                + "\"https://example.com/i/b\",\"tags\":null,\"regions\":null},{\"id\":\"c\",\"originalImageUri\":\"https://example.com/i/c\","
                + "\"tags\":[{\"tagName\":\"[Negative]\"}],\"regions\":[]}]", "a.png", "b.png", "c.png"],
            $"a.png: {A}", "b.png: ?", "c.png: nothing"),
        new("Roboflow", "its COCO, VOC, YOLO, Create ML and TensorFlow CSV exports, one file in each of `train`, `valid`, `test`",
            ["train/_annotations.coco.json={\"images\":[{\"id\":0,\"file_name\":\"a_jpg.rf.1.png\",\"width\":16,\"height\":16}],\"annotations\":[{\"id\":0,"
                + "\"image_id\":0,\"category_id\":1,\"bbox\":[4,8,4,4],\"segmentation\":[],\"iscrowd\":0}],\"categories\":[{\"id\":0,\"name\":\"animals\"},"
                + "{\"id\":1,\"name\":\"cat\"}]}", "train/a_jpg.rf.1.png", "test/_annotations.coco.json={\"images\":[{\"id\":0,\"file_name\":\"b.png\"}],"
                + "\"annotations\":[],\"categories\":[]}", "test/b.png", "README.roboflow.txt=exported"],
            "test test/b.png: nothing", $"train train/a_jpg.rf.1.png: {A}"),
        new("", "", ["train/_annotations.csv=filename,width,height,class,xmin,ymin,xmax,ymax↵a.png,16,16,cat,4,8,8,12↵a.png,16,16,dog,0,"
            + "0,8,4↵",
            "train/a.png", "valid/_annotations.csv=filename,width,height,class,xmin,ymin,xmax,ymax↵b.png,16,16,cat,4,8,8,12↵", "valid/b."
                + "png"],
            $"train train/a.png: {A}, {B}", $"train valid/b.png: {A}"),
        new("", "", ["train/a.xml=<annotation><filename>a.png</filename><object><name>cat</name><bndbox><xmin>4</xmin><xmax>8</xmax>"
            + "<ymin>8</ymin>"
            + "<ymax>12</ymax></bndbox></object></annotation>", "train/a.png"], $"train train/a.png: {A}"),
        new("Vertex AI, AutoML", "two opposite corners or all four, as fractions of the image, in CSV or JSON Lines; a line without "
            + "label and numbers: no objects",
            ["import.csv=TRAIN,gs://b/a.png,cat,0.25,0.5,,,0.5,0.75,,↵TRAIN,gs://b/a.png,dog,0,0,0.5,0,0.5,0.25,0,0.25↵TEST,"
                + "gs://b/b.png,,,,,,,,,↵",
                "a.png", "b.png"], $"test b.png: nothing", $"train a.png: {A}, {B}"),
        new("", "", ["data.jsonl={\"imageGcsUri\":\"gs://b/a.png\",\"boundingBoxAnnotations\":[{\"displayName\":\"cat\",\"xMin\":0.25,\"yMin\":\"0.5\",\"xMax\":0.5,"
            + "\"yMax\":0.75}]}↵{\"imageGcsUri\":\"gs://b/b.png\",\"boundingBoxAnnotations\":[]}↵", "a.png", "b.png"], $"a.png: {A}", "b.png: nothing"),
        new("Amazon Rekognition, SageMaker", "the boxes of the only job that drew some",
            ["output.manifest={\"source-ref\":\"s3://b/a.png\",\"boxes\":{\"image_size\":[{\"width\":16,\"height\":16,\"depth\":3}],\"annotations\":[{\"class_id\":0,"
                + "\"left\":4,\"top\":8,\"width\":4,\"height\":4}]},\"boxes-metadata\":{\"class-map\":{\"0\":\"cat\"},\"type\":"
                + "\"groundtruth/object-detection\"}}↵", "a.png"], $"a.png: {A}"),
        new("Create ML", "`coordinates` in pixels; `x` and `y` are the centre",
            ["_annotations.createml.json=[{\"image\":\"a.png\",\"annotations\":[{\"label\":\"cat\",\"coordinates\":{\"x\":6,\"y\":10,\"width\":4,\"height\":4}}]},"
                + "{\"image\":\"b.png\",\"annotations\":[]}]", "a.png", "b.png"], $"a.png: {A}", "b.png: nothing"),
        new("LabelMe", "rectangles and polygons", ["a.json={\"version\":\"5.0.1\",\"flags\":{},\"shapes\":[{\"label\":\"cat\",\"points\":[[8,12],[4,8]],\"shape_type\":"
            + "\"rectangle\"}],\"imagePath\":\"a.png\",\"imageData\":null,\"imageHeight\":16,\"imageWidth\":16}", "a.png"], $"a.png: {A}"),
        new("NanoNets", "`object` with `bndbox` in pixels, or such a list in a file named like its image; `difficult` is kept; an empty "
            + "list: no objects",
            ["data.json=[{\"filename\":\"a.png\",\"object\":[{\"name\":\"cat\",\"difficult\":\"0\",\"bndbox\":{\"xmin\":4,\"ymin\":8,\"xmax\":8,\"ymax\":12}}]},"
                + "{\"filename\":\"b.png\",\"object\":[]}]", "a.png", "b.png"], $"a.png: {A}", "b.png: nothing"),
        new("", "", ["annotations/json/a.json=[{\"name\":\"cat\",\"pose\":\"Unspecified\",\"truncated\":\"0\",\"difficult\":\"0\",\"bndbox\":{\"xmin\":4,"
            + "\"ymin\":8,\"xmax\":8,\"ymax\":12}}]", "annotations/xmls/a.xml=<annotation><filename>a.png</filename><size><width>16</width>"
            + "<height>16</height></size><object><name>cat</name><bndbox><xmin>4</xmin><ymin>8</ymin><xmax>8</xmax><ymax>12</ymax></bndbox>"
            + "</object></annotation>", "images/a.png"], $"images/a.png: {A}"),
        new("VGG Image Annotator (VIA)", "rectangles, circles, unrotated ellipses and polygons in pixels",
            ["via.json={\"a.png1\":{\"filename\":\"a.png\",\"size\":1,\"regions\":[{\"shape_attributes\":{\"name\":\"rect\",\"x\":4,\"y\":8,\"width\":4,\"height\":4},"
                + "\"region_attributes\":{\"kind\":\"cat\"}},{\"shape_attributes\":{\"name\":\"polygon\",\"all_points_x\":[0,8,8],\"all_points_y\":[0,0,4]},"
                + "\"region_attributes\":{\"kind\":\"dog\"}}],\"file_attributes\":{}},\"b.png1\":{\"filename\":\"b.png\",\"regions\":[],\"file_attributes\":{}}}",
                "a.png", "b.png"], $"a.png: {A}, {B}", "b.png: nothing"),
        new("Labelbox", "`bounding_box` and polygons in pixels; a label without objects: no objects; a row without labels: unlabelled",
            ["export.ndjson={\"data_row\":{\"external_id\":\"a.png\"},\"media_attributes\":{\"height\":16,\"width\":16},\"projects\":{\"p\":{\"labels\":[{"
                + "\"annotations\":{\"objects\":[{\"name\":\"cat\",\"annotation_kind\":\"ImageBoundingBox\",\"bounding_box\":{\"top\":8,\"left\":4,\"height\":4,"
                + "\"width\":4}},{\"name\":\"dog\",\"polygon\":[{\"x\":0,\"y\":0},{\"x\":8,\"y\":0},{\"x\":8,\"y\":4}]}]}}]}}}↵{\"data_row\":{\"external_id\":"
                + "\"b.png\"},\"projects\":{\"p\":{\"labels\":[{\"annotations\":{\"objects\":[]}}]}}}↵{\"data_row\":{\"external_id\":\"c.png\"},\"projects\":{\"p\":"
                + "{\"labels\":[]}}}↵", "a.png", "b.png", "c.png"], $"a.png: {A}, {B}", "b.png: nothing", "c.png: ?"),
        new("FiftyOne", "`bounding_box` as fractions of the image",
            ["labels.json={\"classes\":[\"cat\",\"dog\"],\"labels\":{\"a\":[{\"label\":0,\"bounding_box\":[0.25,0.5,0.25,0.25]},{\"label\":\"dog\",\"bounding_box\":"
                + "[0,0,0.5,0.25]}],\"b\":[]}}", "data/a.png", "data/b.png"], $"data/a.png: {A}, {B}", "data/b.png: nothing"),
        new("", "", ["samples.json={\"samples\":[{\"filepath\":\"data/a.png\",\"ground_truth\":{\"_cls\":\"Detections\",\"detections\":[{\"_cls\":\"Detection\",\"label\":"
            + "\"cat\",\"bounding_box\":[0.25,0.5,0.25,0.25]}]}}]}", "data/a.png"], $"data/a.png: {A}"),
        new("Supervisely", "rectangles and polygons in pixels", ["p/ds/ann/a.png.json={\"tags\":[],\"size\":{\"height\":16,\"width\":16},\"objects\":[{\"classTitle\":\"cat\","
            + "\"geometryType\":\"rectangle\",\"points\":{\"exterior\":[[4,8],[8,12]],\"interior\":[]}}]}", "p/ds/img/a.png"], $"p/ds/img/a.png: {A}"),
        new("V7 Darwin", "`bounding_box` in pixels, also of polygons", ["a.json={\"version\":\"2.0\",\"item\":{\"name\":\"a.png\",\"slots\":[{\"width\":16,\"height\":16}]},"
            + "\"annotations\":[{\"name\":\"cat\",\"bounding_box\":{\"x\":4,\"y\":8,\"w\":4,\"h\":4}}]}", "a.png"], $"a.png: {A}"),
        new("Datumaro", "`bbox` and polygons in pixels", ["annotations/default.json={\"categories\":{\"label\":{\"labels\":[{\"name\":\"cat\"}]}},\"items\":[{\"id\":\"a\","
            + "\"annotations\":[{\"type\":\"bbox\",\"label_id\":0,\"bbox\":[4,8,4,4]}],\"image\":{\"path\":\"a.png\",\"size\":[16,16]}},{\"id\":\"b\",\"annotations\":[]}]}",
            "images/a.png", "images/b.png"], $"images/a.png: {A}", "images/b.png: nothing"),
        new("A table", "one row per box: the file, the category and `xmin,ymin,xmax,ymax`, `x,y,width,height` (top left corner) or "
            + "`cx,cy,width,height`. Names such as `xmin_px` and `x_rel`, a number above 2 (pixels) or fractions below 1 show the unit; "
            + "otherwise the table is refused. A row with only the file: no objects",
            ["labels.csv=file,category,x,y,width,height↵a.png,cat,0.25,0.5,0.25,0.25↵a.png,dog,0,0,0.5,0.25↵b.png,,,,,↵", "a.png",
                "b.png", "c.png"],
            $"a.png: {A}, {B}", "b.png: nothing", "c.png: ?"),
        new("", "", ["boxes.csv=image_id,label,x_min,y_min,x_max,y_max,iscrowd↵a,cat,4,8,8,12,0↵a,dog,0,0,8,4,1↵", "a.png"], $"a.png:"
            + $" {A}, {B}!"),
        new("", "", ["boxes.csv=image,label,x_min_px,y_min_px,x_max_px,y_max_px↵a.png,dog,0,0,2,1↵", "a.png"], "a.png: dog 0 0 0.125 "
            + "0.0625"),
        new("Headstart", "its own [data set](api.md#download-the-data-set), and `boxes` in JSON Lines",
            ["labels.jsonl={\"file\":\"a.png\",\"boxes\":[{\"category\":\"cat\",\"x\":0.25,\"y\":0.5,\"width\":0.25,\"height\":0.25}]}↵{\"file\":\"b.png\","
                + "\"boxes\":[]}↵", "a.png", "b.png"], $"a.png: {A}", "b.png: nothing"),
    ];
}
