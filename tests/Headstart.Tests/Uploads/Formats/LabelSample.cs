namespace Headstart.Tests.Uploads.Formats;

/// <summary>What another tool writes, to the letter of its format.</summary>
/// <param name="Format">As its users call it.</param>
/// <param name="Read">What is read of it.</param>
/// <param name="NotRead">What is not.</param>
/// <param name="Files">Names of images, and annotations as <c>name=content</c>, with lines ended by <c>↵</c>.</param>
/// <param name="Expected">The images that the model then has, as <c>name category side</c>; a side <c>*</c> may be any.</param>
/// <param name="Rejected">What is left out, as <c>name reason</c>.</param>
internal sealed record LabelSample(string Format, string Read, string NotRead, string[] Files, string[] Expected, string[]? Rejected = null,
    bool Several = false)
{
    public static IReadOnlyList<LabelSample> All { get; } =
    [
        new("Headstart", "its own [data set](api.md#download-the-data-set): everything", "",
            ["labels.jsonl={\"file\":\"train/cats/000001-a.png\",\"fileName\":\"a.png\",\"categories\":[\"cats\"],\"split\":\"train\","
                + "\"confirmed\":true}↵{\"file\":\"test/cats/000002-b.png\",\"fileName\":\"b.png\",\"categories\":[\"dogs\"],\"split\":"
                + "\"test\",\"confirmed\":false}↵", "train/cats/000001-a.png", "test/cats/000002-b.png", "readme.txt=about"],
            ["a.png cats train", "b.png dogs test"]),
        new("Hugging Face imagefolder", "`metadata.csv`, `metadata.jsonl` at the top or in each side folder, with `file_name` and `label` "
            + "(or `labels`, `category`; numbers, too)", "`metadata.parquet`, captions, columns with other names: refused with the reason",
            ["shapes/train/metadata.csv=file_name,label↵0.png,disc↵1.png,stripe↵", "shapes/train/0.png", "shapes/train/1.png",
                "shapes/test/metadata.csv=file_name,label↵0.png,stripe↵", "shapes/test/0.png"],
            ["shapes/test/0.png stripe test", "shapes/train/0.png disc train", "shapes/train/1.png stripe train"]),
        new("", "", "", ["metadata.jsonl={\"file_name\": \"images/0.png\", \"label\": \"disc\"}↵{\"file_name\": \"images/1.png\", \"label\": 7}↵",
            "images/0.png", "images/1.png"], ["images/0.png disc *", "images/1.png 7 *"]),
        new("Roboflow", "folders `train`, `valid`, `test`; `_classes.csv` (one column per label); its COCO, VOC, YOLO and Create "
            + "ML exports",
            "",
            ["train/_classes.csv=filename, cat, dog↵a_jpg.rf.1f.png, 1, 0↵b.png, 0, 1↵c.png, 1, 1↵d.png, 0, 0↵", "train/a_jpg.rf.1f.png",
                "train/b.png", "train/c.png", "train/d.png", "valid/_classes.csv=filename, cat, dog↵e.png, 0, 1↵", "valid/e.png",
                "README.roboflow.txt=exported", "README.dataset.txt=about"],
            ["train/a_jpg.rf.1f.png cat train", "train/b.png dog train", "valid/e.png dog train"],
            ["train/c.png several-categories", "train/d.png no-label"]),
        new("", "", "", ["train/_classes.csv=filename, cat, dog↵c.png, 1, 1↵d.png, 0, 0↵", "train/c.png", "train/d.png"],
            ["train/c.png cat|dog train", "train/d.png  train"], Several: true),
        new("", "", "", ["train/cat/a.png", "train/dog/b.png", "test/cat/c.png", "README.roboflow.txt=exported",
                "README.dataset.txt=about"],
            ["test/cat/c.png cat test", "train/cat/a.png cat train", "train/dog/b.png dog train"]),
        new("Label Studio", "CSV, TSV, JSON and JSON-MIN: choices, otherwise the labels of boxes and shapes; file names with "
            + "or without the eight digits in front", "tasks without an answer or with annotators who disagree: left out; an export in "
            + "which two columns may be the label: refused",
            ["export.csv=image,id,choice,annotator,annotation_id,created_at,updated_at,lead_time↵/data/upload/1/a1b2c3d4-a.png,1,Cat,1,1,"
                + "2024-01-01T00:00:00Z,2024-01-01T00:00:00Z,3.2↵/data/upload/1/0badc0de-b.png,2,\"{\"\"choices\"\":[\"\"Cat\"\",\"\"Dog\"\"]}\",1,2,,,4↵",
                "images/a.png", "images/0badc0de-b.png"],
            ["images/a.png Cat *"], ["images/0badc0de-b.png several-categories"]),
        new("", "", "",
            ["p/project-1.json=[{\"id\":1,\"annotations\":[{\"id\":1,\"was_cancelled\":false,\"result\":[{\"value\":{\"choices\":[\"Cat\"]},"
                + "\"id\":\"x\",\"from_name\":\"choice\",\"to_name\":\"image\",\"type\":\"choices\",\"origin\":\"manual\"}]}],"
                + "\"file_upload\":\"a1b2c3d4-a.png\",\"data\":{\"image\":\"/data/upload/1/a1b2c3d4-a.png\"}},"
                + "{\"id\":2,\"annotations\":[],\"file_upload\":\"a1b2c3d5-b.png\",\"data\":{\"image\":\"/data/upload/1/a1b2c3d5-b.png\"}},"
                + "{\"id\":3,\"annotations\":[{\"result\":[{\"value\":{\"choices\":[\"Cat\"]},\"type\":\"choices\"}]},"
                + "{\"result\":[{\"value\":{\"choices\":[\"Dog\"]},\"type\":\"choices\"}]}],\"data\":{\"image\":\"/data/upload/1/c.png\"}}]",
                "p/images/a.png", "p/images/b.png", "p/images/c.png"],
            ["p/images/a.png Cat *"], ["p/images/b.png no-label", "p/images/c.png annotators-disagree"]),
        new("", "", "",
            ["min.json=[{\"image\":\"/data/upload/1/a1b2c3d4-a.png\",\"id\":1,\"choice\":\"Cat\",\"annotator\":1,\"annotation_id\":1,\"lead_time\":2.5},"
                + "{\"image\":\"/data/local-files/?d=sub/b.png\",\"id\":2,\"choice\":{\"choices\":[\"Dog\"]},\"annotator\":1,\"annotation_id\":2,"
                + "\"lead_time\":1}]", "a.png", "b.png"], ["a.png Cat *", "b.png Dog *"]),
        new("COCO JSON", "the categories of an image's boxes and shapes; sides from folders and from file names such as "
            + "`instances_val2017.json`",
            "images without boxes: left out",
            ["annotations/instances_train2017.json={\"info\":{},\"licenses\":[],\"images\":[{\"id\":1,\"file_name\":\"a.png\",\"width\":16,"
                + "\"height\":16},{\"id\":2,\"file_name\":\"b.png\"},{\"id\":3,\"file_name\":\"c.png\"}],\"annotations\":[{\"id\":1,\"image_id\":1,"
                + "\"category_id\":17,\"bbox\":[1,1,2,2],\"segmentation\":[[1,1,2,2,3,3]],\"area\":4,\"iscrowd\":0},{\"id\":2,\"image_id\":1,"
                + "\"category_id\":17},{\"id\":3,\"image_id\":2,\"category_id\":17},{\"id\":4,\"image_id\":2,\"category_id\":18}],"
                + "\"categories\":[{\"id\":17,\"name\":\"cat\",\"supercategory\":\"animal\"},{\"id\":18,\"name\":\"dog\"}]}",
                "train2017/a.png", "train2017/b.png", "train2017/c.png"],
            ["train2017/a.png cat train"], ["train2017/b.png several-categories", "train2017/c.png no-label"]),
        new("Pascal VOC", "the names of the objects in each XML; sides from `ImageSets/Main/train.txt`, `test.txt`", "",
            ["VOC/Annotations/a.xml=<annotation><folder>x</folder><filename>a.png</filename><size><width>16</width></size><object>"
                + "<name>cat</name><pose>Left</pose><part><name>head</name></part><bndbox><xmin>1</xmin></bndbox></object></annotation>",
                "VOC/Annotations/b.xml=<annotation><filename>old "
                    + "name.png</filename><object><name>dog</name></object><object><name>dog</name>"
                + "</object></annotation>", "VOC/JPEGImages/a.png", "VOC/JPEGImages/b.png", "VOC/SegmentationClass/a.png",
                "VOC/ImageSets/Main/train.txt=a↵", "VOC/ImageSets/Main/test.txt=b↵", "VOC/ImageSets/Main/cat_train.txt=a 1↵b -1↵"],
            ["VOC/JPEGImages/a.png cat train", "VOC/JPEGImages/b.png dog test"], ["VOC/SegmentationClass/a.png not-in-manifest"]),
        new("YOLO", "classification: folders; detection, segmentation: `labels/*.txt` with `data.yaml`, `classes.txt`, `obj.names` or "
            + "`_darknet.labels` in the same folder, or in the nearest one around it", "boxes whose classes have no names, or are named "
            + "differently by two lists in one place: refused",
            ["data.yaml=train: ../train/images↵val: ../valid/images↵nc: 2↵names: ['cat', \"dog\"]↵", "train/images/a.png",
                "train/labels/a.txt=0 0.5 0.5 0.2 0.2↵0 0.1 0.1 0.2 0.2↵", "train/images/b.png",
                "train/labels/b.txt=1 0.1 0.1 0.2 0.2 0.3 0.3↵",
                "valid/images/c.png", "valid/labels/c.txt="],
            ["train/images/a.png cat train", "train/images/b.png dog train"], ["valid/images/c.png no-label"]),
        new("", "", "", ["classes.txt=cat↵dog↵", "images/a.png", "labels/a.txt=1 0.5 0.5 0.2 0.2↵"], ["images/a.png dog *"]),
        new("", "", "", ["data/predefined_classes.txt=dog↵person↵cat↵", "train/labels/classes.txt=cat↵dog↵", "train/images/a.png",
                "train/labels/a.txt=0 0.5 0.5 0.2 0.2↵", "val/labels/classes.txt=dog↵cat↵", "val/images/b.png",
                "val/labels/b.txt=0 0.5 0.5 0.2 0.2↵"], ["train/images/a.png cat train", "val/images/b.png dog train"]), // LabelImg
        new("", "", "", ["sets/other.yaml=names: [dog, cat]↵", "x.yaml=names: [cat, dog]↵", "pets/images/a.png",
            "pets/labels/a.txt=0 0.5 0.5 0.2 0.2↵"], ["pets/images/a.png cat *"]),
        new("Vertex AI, AutoML", "CSV (`TRAIN,gs://…,label`) and JSON Lines, labels and boxes; images are found in the archive by name",
            "images in buckets: not fetched, and the message says how to download them",
            ["import.csv=TRAIN,gs://bucket/flowers/a.png,daisy↵test,gs://bucket/flowers/b.png,rose↵gs://bucket/flowers/c.png,rose↵"
                + "UNASSIGNED,gs://bucket/flowers/d.png,rose,0.1,0.1,,,0.2,0.2,,↵", "flowers/a.png", "flowers/b.png", "flowers/c.png",
                "flowers/d.png"],
            ["flowers/a.png daisy train", "flowers/b.png rose test", "flowers/c.png rose *", "flowers/d.png rose *"]),
        new("", "", "",
            ["data.jsonl={\"imageGcsUri\":\"gs://bucket/a.png\",\"classificationAnnotation\":{\"displayName\":\"daisy\"},"
                + "\"dataItemResourceLabels\":{\"aiplatform.googleapis.com/ml_use\":\"training\"}}↵{\"imageGcsUri\":\"gs://bucket/b.png\","
                + "\"classificationAnnotations\":[{\"displayName\":\"rose\"}],\"dataItemResourceLabels\":{\"aiplatform.googleapis.com/ml_use\":"
                + "\"test\"}}↵", "a.png", "b.png"], ["a.png daisy train", "b.png rose test"]),
        new("Amazon Rekognition, SageMaker", "manifests with `source-ref`: classes, several classes, boxes",
            "images in buckets: not fetched; results of verification jobs",
            ["output.manifest={\"source-ref\":\"s3://bucket/a.png\",\"animals_cat\":1,\"animals_cat-metadata\":{\"confidence\":1,\"job-name\":"
                + "\"labeling-job/animals\",\"class-name\":\"cat\",\"human-annotated\":\"yes\",\"type\":\"groundtruth/image-classification\"}}↵"
                + "{\"source-ref\":\"s3://bucket/b.png\",\"boxes\":{\"image_size\":[{\"width\":16}],\"annotations\":[{\"class_id\":1,\"top\":1}]},"
                + "\"boxes-metadata\":{\"objects\":[{\"confidence\":1}],\"class-map\":{\"1\":\"dog\"},\"type\":\"groundtruth/object-detection\"}}↵"
                + "{\"source-ref\":\"s3://bucket/c.png\"}↵", "a.png", "b.png", "c.png"],
            ["a.png cat *", "b.png dog *"], ["c.png no-label"]),
        new("Azure Custom Vision", "the images of its API as JSON: tags, regions, and the URL of the original", "",
            ["tagged.json=[{\"id\":\"4d6eb844-42ee-42bc-bd6f-c32455ef07c9\",\"created\":\"2024-01-01T00:00:00\",\"width\":16,\"height\":16,"
                + "\"resizedImageUri\":\"https://example.com/r\",\"originalImageUri\":\"https://example.com/i/4d6eb844-42ee-42bc-bd6f-c32455ef07c9\","
                + "\"tags\":[{\"tagId\":\"x\",\"tagName\":\"cat\",\"created\":\"2024-01-01T00:00:00\"}],\"regions\":null}]",
                "4d6eb844-42ee-42bc-bd6f-c32455ef07c9.png"], ["4d6eb844-42ee-42bc-bd6f-c32455ef07c9.png cat *"]),
        new("CVAT", "\"CVAT for images 1.1\": tags, otherwise boxes and shapes; its ImageNet (`train.txt` with `synsets.txt`), COCO, VOC, YOLO",
            "\"CVAT for video\": refused",
            ["annotations.xml=<?xml version=\"1.0\" encoding=\"utf-8\"?><annotations><version>1.1</version><meta><task><id>1</id></task></meta>"
                + "<image id=\"0\" name=\"a.png\" width=\"16\" height=\"16\"><tag label=\"cat\" source=\"manual\"></tag></image>"
                + "<image id=\"1\" name=\"b.png\" subset=\"Test\"><box label=\"dog\" xtl=\"1\"/><polygon label=\"dog\"><attribute name=\"x\">1"
                + "</attribute></polygon></image><image id=\"2\" name=\"c.png\"/></annotations>", "images/a.png", "images/b.png", "images/c.png"],
            ["images/a.png cat *", "images/b.png dog test"], ["images/c.png no-label"]),
        new("", "", "", ["synsets.txt=cat↵dog↵", "train.txt=images/a.png 0↵images/b.png 1↵", "images/a.png", "images/b.png"],
            ["images/a.png cat train", "images/b.png dog train"]),
        new("Kaggle, fastai", "tables with a column for the image (`id`, `image_id`, `filename`, `fname` …, with or without the extension) "
            + "and one for the label (`label`, `class`, `target`, `category` …), or one per label with 0 and 1",
            "`sample_submission.csv`; tables with images but no known label column: refused with the reason",
            ["train.csv=id,label↵0001,cat↵0002,dog↵", "sample_submission.csv=id,label↵0009,cat↵", "train/0001.png", "train/0002.png",
                "test/0009.png"],
            ["train/0001.png cat train", "train/0002.png dog train"], ["test/0009.png not-in-manifest"]),
        new("", "", "", ["labels.csv=image_id,class_id,class↵a,0,cat↵b,1,dog↵", "img/a.png", "img/b.png"],
            ["img/a.png cat *", "img/b.png dog *"]),
        new("", "", "", ["train.csv=file,label↵Br\u00f6tchen.png,bread↵K\u00e4se.png,cheese↵", "shop/Bro\u0308tchen.png",
            "shop/Ka\u0308se.png"], ["shop/Bro\u0308tchen.png bread *", "shop/Ka\u0308se.png cheese *"]), // as macOS writes names
        new("", "", "", ["labels.csv=file,category↵train/a.png,cat↵test/b.png,cat↵", "train/a.png", "test/b.png", "scripts/convert.py=#↵"],
            ["test/b.png cat test", "train/a.png cat train"], ["scripts/convert.py not-in-manifest"]),
        new("", "", "", ["labels.csv=file,category↵images/train/a.png,cat↵images/test/b.png,cat↵", "images/train/a.png",
            "images/test/b.png", "masks/a.png"], ["images/test/b.png cat test", "images/train/a.png cat train"],
            ["masks/a.png not-in-manifest"]),
        new("", "", "", ["data.csv=file,label,split↵train/a.png,cat,train↵test/b.png,cat,test↵extra/c.png,dog,train↵", "train/a.png",
            "test/b.png", "extra/c.png"], ["extra/c.png dog train", "test/b.png cat test", "train/a.png cat train"]),
        new("", "", "", ["labels.csv=filename,cat,dog↵a.png,1,0↵b.png,0,1↵c.png,0,0↵", "a.png", "b.png", "c.png"],
            ["a.png cat *", "b.png dog *"], ["c.png no-label"]),
        new("", "", "", ["labels.csv=filename,split,cat,dog↵a.png,train,1,0↵b.png,test,0,0↵c.png,train,0,0↵", "a.png", "b.png", "c.png"],
            ["a.png cat train", "b.png  test", "c.png  train"], Several: true),
        new("", "", "", ["data.csv=image,label,split↵a.png,cat,tst↵b.png,cat,test↵c.png,cat,UNASSIGNED↵d.png,cat,nan↵e.png,cat,train↵",
            "a.png", "b.png", "c.png", "d.png", "e.png"], ["b.png cat test", "c.png cat *", "d.png cat *", "e.png cat train"],
            ["a.png invalid-split"]),
        new("", "", "", ["data.csv=image,label↵a.png,cat,dog↵b.png,cat, ,↵c.png,cat↵c.png,dog,red↵", "a.png", "b.png", "c.png"],
            ["b.png cat *"], ["a.png invalid-row", "c.png invalid-row"]),
        new("", "", "", ["labels.csv=file,category↵a.png,cat,dog↵b.png,cat, ,↵c.png,cat↵c.png,dog,red↵d, e.png,cat↵", "a.png", "b.png",
            "c.png"], ["b.png cat *"], ["a.png invalid-row", "c.png invalid-row", "d invalid-row"]),
        new("Keras, torchvision", "category folders, with or without `train` and `test` above them", "",
            ["set/train/cat/a.png", "set/train/dog/b.png"],
            ["set/train/cat/a.png cat train", "set/train/dog/b.png dog train"]),
        new("Teachable Machine", "a project file (`.tm`, a zip archive), with the class in the name of each sample; a project file of "
            + "GenAI Teachable Machine; folders of downloaded samples", "sound projects: refused; exported models: they contain no samples",
            ["manifest.json={\"type\":\"image\",\"version\":\"2.4.7\",\"appdata\":{\"trainEpochs\":50}}", "Class 1-!-0.png", "Class 1-!-1.png",
                "A-!-B-!-0.png", "odd.png"],
            ["A-!-B-!-0.png A-!-B *", "Class 1-!-0.png Class 1 *", "Class 1-!-1.png Class 1 *"], ["odd.png missing-category"]),
        new("", "", "", ["manifest.json={\"type\":\"image\",\"version\":\"2.4.7\",\"appdata\":{\"trainEpochs\":50}}", "Class 1/0.png", "Class 2/0.png"],
            ["Class 1/0.png Class 1 *", "Class 2/0.png Class 2 *"]),
        new("", "", "", ["metadata.json={\"tfjsVersion\":\"4.2.0\",\"tmVersion\":\"0.8.5\",\"labels\":[\"cat\",\"dog\"],\"imageSize\":224}", "model.json={}",
            "samples/0_0.png", "samples/1_0.png", "samples/1_1.png"],
            ["samples/0_0.png cat *", "samples/1_0.png dog *", "samples/1_1.png dog *"]),
        new("VGG Image Annotator (VIA)", "versions 1 and 2, JSON, project and CSV: the attribute of the files, otherwise of the regions",
            "several attributes that may be the label: refused; captions; remarks; version 3",
            ["via_export_json.json={\"a.png123\":{\"filename\":\"a.png\",\"size\":123,\"regions\":[],\"file_attributes\":{\"caption\":\"on a mat\",\"kind\":\"cat\"}},"
                + "\"b.png9\":{\"filename\":\"b.png\",\"size\":9,\"regions\":[],\"file_attributes\":{\"caption\":\"\",\"kind\":{\"dog\":true,\"cat\":false}}},"
                + "\"c.png9\":{\"filename\":\"c.png\",\"size\":9,\"regions\":[],\"file_attributes\":{}}}", "a.png", "b.png", "c.png"],
            ["a.png cat *", "b.png dog *"], ["c.png no-label"]),
        new("", "", "", ["p.json={\"_via_settings\":{},\"_via_img_metadata\":{\"a.png1\":{\"filename\":\"a.png\",\"size\":1,\"regions\":{\"0\":{"
            + "\"shape_attributes\":{\"name\":\"rect\",\"x\":1,\"y\":1,\"width\":2,\"height\":2},\"region_attributes\":{\"name\":\"cat\"}}},"
            + "\"file_attributes\":{}}},\"_via_attributes\":{}}", "images/a.png"], ["images/a.png cat *"]),
        new("", "", "", ["via_export_csv.csv=#filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,"
            + "region_attributes↵a.png,1,\"{}\",1,0,\"{\"\"name\"\":\"\"rect\"\",\"\"x\"\":1,\"\"y\"\":1,\"\"width\"\":2,\"\"height\"\":2}\",\"{\"\"class\"\":\"\"cat\"\"}\"↵"
            + "b.png,1,\"{}\",0,0,\"{}\",\"{}\"↵", "a.png", "b.png"], ["a.png cat *"], ["b.png no-label"]),
        new("Labelbox", "NDJSON and the older JSON: the answers to its question, otherwise the names of boxes and shapes",
            "several questions: refused; contradicting labels; skipped images",
            ["export.ndjson={\"data_row\":{\"id\":\"1\",\"external_id\":\"a.png\",\"row_data\":\"https://storage.example.com/x\"},\"media_attributes\":"
                + "{\"height\":16,\"width\":16},\"projects\":{\"p\":{\"name\":\"P\",\"labels\":[{\"label_kind\":\"Default\",\"annotations\":{\"objects\":[],"
                + "\"classifications\":[{\"name\":\"Which?\",\"value\":\"which\",\"radio_answer\":{\"name\":\"Cat\",\"value\":\"cat\"}},{\"name\":\"Note\","
                + "\"text_answer\":{\"content\":\"nice\"}}]}}]}}}↵{\"data_row\":{\"id\":\"2\",\"global_key\":\"b.png\"},\"projects\":{\"p\":{\"labels\":[{"
                + "\"annotations\":{\"classifications\":[{\"name\":\"Which?\",\"radio_answer\":{\"name\":\"Cat\"}}]}},{\"annotations\":{\"classifications\":[{"
                + "\"name\":\"Which?\",\"radio_answer\":{\"name\":\"Dog\"}}]}}]}}}↵{\"data_row\":{\"id\":\"3\",\"external_id\":\"c.png\"},\"projects\":{\"p\":"
                + "{\"labels\":[{\"performance_details\":{\"skipped\":true},\"annotations\":{\"classifications\":[]}}]}}}↵", "a.png", "b.png", "c.png"],
            ["a.png Cat *"], ["b.png annotators-disagree", "c.png no-label"]),
        new("", "", "", ["export.json=[{\"ID\":\"1\",\"DataRow ID\":\"2\",\"Labeled Data\":\"https://storage.example.com/a.png\",\"Label\":{\"objects\":[],"
            + "\"classifications\":[{\"title\":\"Which?\",\"value\":\"which\",\"answers\":[{\"title\":\"Dog\",\"value\":\"dog\"}]}]},\"External ID\":\"a.png\","
            + "\"Skipped\":false}]", "a.png"], ["a.png Dog *"]),
        new("FiftyOne", "`labels.json` of classifications and detections; `samples.json`: `ground_truth`, or the only label field",
            "several label fields, none called `ground_truth`: refused; videos",
            ["labels.json={\"classes\":[\"cat\",\"dog\"],\"labels\":{\"a\":0,\"b\":\"dog\",\"c\":null}}", "data/a.png", "data/b.png", "data/c.png"],
            ["data/a.png cat *", "data/b.png dog *"], ["data/c.png no-label"]),
        new("", "", "", ["samples.json={\"samples\":[{\"filepath\":\"data/a.png\",\"tags\":[\"test\",\"x\"],\"ground_truth\":{\"_cls\":\"Classification\",\"label\":"
            + "\"cat\"},\"resnet\":{\"_cls\":\"Classification\",\"label\":\"dog\"}}]}", "metadata.json={\"name\":\"x\"}", "data/a.png"], ["data/a.png cat test"]),
        new("Supervisely", "the tags of each image, otherwise the classes of its objects", "",
            ["p/meta.json={\"classes\":[],\"tags\":[]}", "p/ds/ann/a.png.json={\"description\":\"\",\"tags\":[{\"name\":\"cat\",\"value\":null}],\"size\":{\"height\":16,"
                + "\"width\":16},\"objects\":[]}", "p/ds/ann/b.png.json={\"tags\":[],\"size\":{\"height\":16,\"width\":16},\"objects\":[{\"classTitle\":\"dog\","
                + "\"geometryType\":\"rectangle\",\"points\":{\"exterior\":[[1,1],[3,3]],\"interior\":[]}}]}", "p/ds/img/a.png", "p/ds/img/b.png"],
            ["p/ds/img/a.png cat *", "p/ds/img/b.png dog *"]),
        new("V7 Darwin", "versions 1 and 2: the tags of each image, otherwise the names of its shapes", "videos",
            ["annotations/a.json={\"version\":\"2.0\",\"item\":{\"name\":\"a.png\",\"path\":\"/\",\"slots\":[{\"type\":\"image\",\"width\":16,\"height\":16}]},"
                + "\"annotations\":[{\"id\":\"x\",\"name\":\"cat\",\"tag\":{}}]}", "annotations/b.json={\"dataset\":\"d\",\"image\":{\"filename\":\"b.png\",\"width\":16,"
                + "\"height\":16},\"annotations\":[{\"name\":\"dog\",\"bounding_box\":{\"x\":1,\"y\":1,\"w\":2,\"h\":2}}]}", "images/a.png", "images/b.png"],
            ["images/a.png cat *", "images/b.png dog *"]),
        new("Datumaro", "labels, otherwise those of boxes and shapes; sides from file names such as `annotations/train.json`", "",
            ["annotations/train.json={\"info\":{},\"categories\":{\"label\":{\"labels\":[{\"name\":\"cat\",\"parent\":\"\"},{\"name\":\"dog\"}]}},\"items\":[{\"id\":"
                + "\"a\",\"annotations\":[{\"id\":0,\"type\":\"label\",\"attributes\":{},\"group\":0,\"label_id\":0}],\"image\":{\"path\":\"a.png\",\"size\":[16,16]}},"
                + "{\"id\":\"b\",\"annotations\":[{\"type\":\"bbox\",\"label_id\":1,\"bbox\":[1,1,2,2]}]}]}", "images/train/a.png", "images/train/b.png"],
            ["images/train/a.png cat train", "images/train/b.png dog train"]),
        new("Create ML", "the labels of boxes", "", ["_annotations.createml.json=[{\"image\":\"a.png\",\"annotations\":[{\"label\":\"cat\",\"coordinates\":"
            + "{\"x\":1,\"y\":1,\"width\":2,\"height\":2}}]}]", "a.png"], ["a.png cat *"]),
        new("LabelMe", "flags that are set, otherwise the labels of shapes", "", ["a.json={\"version\":\"5.0.1\",\"flags\":{},\"shapes\":[{\"label\":\"cat\","
            + "\"points\":[[1,1]],\"shape_type\":\"polygon\"}],\"imagePath\":\"a.png\",\"imageData\":null}", "a.png"], ["a.png cat *"]),
        new("NanoNets", "the `data` of its clients, with `categories` or `object`", "",
            ["data.json=[{\"filename\":\"a.png\",\"categories\":[\"cat\"]},{\"filename\":\"b.png\",\"object\":[{\"name\":\"dog\",\"bndbox\":{}}]}]",
                "a.png"], ["a.png cat *"], ["b.png missing-file"]),
    ];
}
