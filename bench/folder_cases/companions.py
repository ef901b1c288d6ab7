"""Pictures that belong to photos and are none themselves: masks, annotations, icons of the classes."""

from bench.folder_cases.case import FolderCase, files, folders, in_parts


def _masks(name: str, *folder: str, tested: int = 0, **classes: int) -> FolderCase:
    return FolderCase(name=name, make=folders(*folder), classes=classes, tested=tested)


CASES = (
    _masks(
        "parts around classes around images and masks",
        *in_parts("train test", "COVID/images COVID/masks Normal/images Normal/masks"),
        tested=6,
        COVID=6,
        Normal=6,
    ),
    _masks(
        "images, lung masks and infection masks in each class",
        *(
            f"{part}/{label}/{kind}"
            for part in ("Infection Segmentation Data/Train", "Infection Segmentation Data/Test")
            for label in ("COVID-19", "Normal")
            for kind in ("images", "lung masks", "infection masks")
        ),
        tested=6,
        **{"COVID-19": 6, "Normal": 6},
    ),
    _masks(
        "images and masks around the classes",
        *in_parts("images masks", "benign malignant"),
        benign=3,
        malignant=3,
    ),
    _masks(
        "images and masks around the parts",
        *in_parts("images/train images/test segmentation/train segmentation/test", "benign malignant"),
        tested=6,
        benign=6,
        malignant=6,
    ),
    _masks(
        "German words for masks",
        *in_parts("gesund krank", "Bilder Masken"),
        gesund=3,
        krank=3,
    ),
    _masks(
        "Spanish words for masks",
        *in_parts("sano enfermo", "imágenes máscaras"),
        enfermo=3,
        sano=3,
    ),
    _masks(
        "Chinese words for masks",
        *in_parts("健康 生病", "图像 掩码"),
        健康=3,
        生病=3,
    ),
    _masks(
        "Russian words for masks",
        *in_parts("здоровый больной", "изображения маски"),
        больной=3,
        здоровый=3,
    ),
    _masks(
        "photos directly in the class folders, masks inside of these",
        *in_parts("benign malignant", "."),
        *in_parts("benign malignant", "masks"),
        benign=3,
        malignant=3,
    ),
    _masks(
        "ground truth beside the parts of each product",
        *("train/good=6", "test/good", "test/crack", "test/hole", "ground_truth/crack", "ground_truth/hole"),
        crack=3,
        good=9,
        hole=3,
    ),
    FolderCase(
        name="a mask beside each photo, called as the photo",
        make=files(
            *(
                f"{label}/{label} ({n}){end}.png"
                for label in ("benign", "malignant")
                for n in (1, 2, 3)
                for end in ("", "_mask")
            ),
            "benign/benign (2)_mask_1.png",
        ),
        classes={"benign": 3, "malignant": 3},
    ),
    FolderCase(
        name="segmentations and superpixels beside photos with classes in their names",
        make=files("nevus_{i}.jpg", "nevus_{i}_segmentation.png", "melanoma_{i}.jpg", "melanoma_{i}_superpixels.png"),
        classes={"melanoma": 3, "nevus": 3},
    ),
    FolderCase(
        name="pets in one folder and their trimaps in another",
        make=files(
            *("images/Abyssinian_{i}.jpg", "images/beagle_{i}.jpg", "images/saint_bernard_{i}.jpg"),
            *("annotations/trimaps/Abyssinian_{i}.png", "annotations/trimaps/beagle_{i}.png"),
            "annotations/trimaps/saint_bernard_{i}.png",
        ),
        classes={"Abyssinian": 3, "beagle": 3, "saint_bernard": 3},
    ),
    FolderCase(
        name="class folders of images and of annotations with the same names",
        make=folders(*in_parts("Images Annotation", "n02085620-Chihuahua n02085782-Japanese_spaniel")),
        classes={"n02085620-Chihuahua": 3, "n02085782-Japanese_spaniel": 3},
    ),
    _masks("people with and without a mask", "with_mask", "without_mask", with_mask=3, without_mask=3),
    _masks(
        "a class called mask among others, in parts",
        *in_parts("train test", "mask no_mask incorrect_mask"),
        tested=9,
        incorrect_mask=6,
        mask=6,
        no_mask=6,
    ),
    _masks("masks among disguises", "masks", "wigs", "hats", hats=3, masks=3, wigs=3),
)
