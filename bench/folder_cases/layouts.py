"""Folders in folders and telling names of files, as people have them."""

from bench.folder_cases.case import FolderCase, files, folders, in_parts

_PETS = {"cat": 6, "dog": 6}

_SPLIT_CASES = (
    FolderCase(
        name="train and test around the classes",
        make=folders(*in_parts("pets/train pets/test", "cat dog")),
        classes=_PETS,
        tested=6,
    ),
    FolderCase(
        name="each part repeated inside itself",
        make=folders(*in_parts("training_set/training_set test_set/test_set", "cat dog")),
        classes=_PETS,
        tested=6,
    ),
    FolderCase(
        name="parts with other words around them, and photos to predict beside them",
        make=folders(*in_parts("seg_train/seg_train seg_test/seg_test", "sea street"), "seg_pred/seg_pred"),
        classes={"sea": 6, "street": 6},
        tested=6,
    ),
    FolderCase(
        name="an unlabelled test folder repeated inside itself",
        make=folders(*in_parts("train", "cat dog"), "test/test"),
        classes={"cat": 3, "dog": 3},
    ),
    FolderCase(
        name="a test folder of images without classes",
        make=folders(*in_parts("asl_alphabet_train/asl_alphabet_train", "A B"), "asl_alphabet_test/images"),
        classes={"A": 3, "B": 3},
    ),
    FolderCase(
        name="words of the split put together with others",
        make=folders(*in_parts("x-train-set x-test-set validation_data", "cat dog")),
        classes={"cat": 9, "dog": 9},
        tested=6,
    ),
    FolderCase(
        name="a holdout beside Training",
        make=folders(*in_parts("archive/Training archive/hold-out", "cat dog")),
        classes=_PETS,
        tested=6,
    ),
    FolderCase(
        name="eval is the validation where there is a test",
        make=folders(*in_parts("train eval test", "cat dog")),
        classes={"cat": 9, "dog": 9},
        tested=6,
    ),
    FolderCase(
        name="German words of the split",
        make=folders(*in_parts("Trainingsdaten Validierung Testbilder", "Katze Hund")),
        classes={"Hund": 9, "Katze": 9},
        tested=6,
    ),
    FolderCase(
        name="French words of the split",
        make=folders(*in_parts("jeu_entraînement jeu_évaluation", "chat chien")),
        classes={"chat": 6, "chien": 6},
        tested=6,
    ),
    FolderCase(
        name="Spanish words of the split",
        make=folders(*in_parts("datos_de_entrenamiento datos_de_prueba", "gato perro")),
        classes={"gato": 6, "perro": 6},
        tested=6,
    ),
    FolderCase(
        name="Chinese words of the split inside other words",
        make=folders(*in_parts("花卉训练集 花卉测试集", "玫瑰 菊")),
        classes={"玫瑰": 6, "菊": 6},
        tested=6,
    ),
    FolderCase(
        name="Japanese words of the split",
        make=folders(*in_parts("学習用データ テスト用データ", "猫 犬")),
        classes={"犬": 6, "猫": 6},
        tested=6,
    ),
    FolderCase(
        name="parts inside the class folders",
        make=folders(*in_parts("cat dog", "train test")),
        classes=_PETS,
        tested=6,
    ),
    FolderCase(
        name="parts in the names of class folders",
        make=folders("cat_train", "cat_test", "dog_train", "dog_test"),
        classes=_PETS,
        tested=6,
    ),
    FolderCase(
        name="class folders beside a test folder that holds the same classes",
        make=folders("cat", "dog", *in_parts("test", "cat dog")),
        classes=_PETS,
        tested=6,
    ),
)

_CLASS_CASES = (
    FolderCase(
        name="a class called train among vehicles",
        make=folders("bus/images", "car/images", "train/images"),
        classes={"bus": 3, "car": 3, "train": 3},
    ),
    FolderCase(
        name="a class called train in parts",
        make=folders(*in_parts("train test", "bus car train")),
        classes={"bus": 6, "car": 6, "train": 6},
        tested=9,
    ),
    FolderCase(name="valid and invalid", make=folders("valid", "invalid"), classes={"invalid": 3, "valid": 3}),
    FolderCase(
        name="a class called test among others",
        make=folders("control", "placebo", "test"),
        classes={"control": 3, "placebo": 3, "test": 3},
    ),
    FolderCase(
        name="folders by date and phone in one class",
        make=folders("cat", "dog/2023", "dog/Camera Roll"),
        classes={"cat": 3, "dog": 6},
    ),
    FolderCase(
        name="folders of kinds in one class of several",
        make=folders("bird", "cat", "fish", "dog/in the park", "dog/at home"),
        classes={"bird": 3, "cat": 3, "dog": 6, "fish": 3},
    ),
    FolderCase(
        name="a folder of classes beside a class that came later",
        make=folders(*in_parts("pets", "cat dog"), "bird"),
        classes={"bird": 3, "cat": 3, "dog": 3},
        may_ask=True,
    ),
    FolderCase(
        name="classes in folders by year",
        make=folders(*in_parts("cat dog", "2023 2024")),
        classes=_PETS,
    ),
    FolderCase(
        name="lots of images without classes",
        make=folders("images_001/images", "images_002/images"),
        refused=("no photo here", "images_001"),
    ),
    FolderCase(
        name="pictures and their masks",
        make=folders(*in_parts("train test", "images masks")),
        refused=("no photo here",),
    ),
)

_GROUP_CASES = (
    FolderCase(
        name="five folds",
        make=folders(*in_parts("fold_1 fold_2 fold_3 fold_4 fold_5", "cat dog")),
        classes={"cat": 15, "dog": 15},
    ),
    FolderCase(
        name="sites, one of them without a class",
        make=folders(*in_parts("berlin munich", "ok scratch dent"), "rome/ok", "rome/dent"),
        classes={"dent": 9, "ok": 9, "scratch": 6},
    ),
    FolderCase(
        name="colour and gray",
        make=folders(*in_parts("leaves/color leaves/gray", "healthy rust")),
        classes={"healthy": 6, "rust": 6},
    ),
    FolderCase(
        name="numbered lots with different classes",
        make=folders(*in_parts("images_001", "cat dog"), *in_parts("images_002", "cat bird")),
        classes={"bird": 3, "cat": 6, "dog": 3},
    ),
    FolderCase(
        name="patients with classes that are numbers",
        make=folders(*in_parts("8863 9035 10253", "0 1")),
        classes={"0": 9, "1": 9},
    ),
    FolderCase(
        name="parts under sites under a wrapper",
        make=folders(*in_parts("data/site_A/train data/site_A/test data/site_B/train data/site_B/test", "cat dog")),
        classes={"cat": 12, "dog": 12},
        tested=12,
    ),
    FolderCase(
        name="sites under parts, with cameras under them",
        make=folders(
            *in_parts("train/site_1/cam_a train/site_1/cam_b train/site_2/cam_a test/site_3/cam_a", "cat dog")
        ),
        classes={"cat": 12, "dog": 12},
        tested=6,
    ),
    FolderCase(
        name="crops with the same states",
        make=folders(*in_parts("tomato potato", "healthy sick")),
        classes={"potato": 6, "tomato": 6},
        may_ask=True,
    ),
)

_NAME_CASES = (
    FolderCase(
        name="class and part in the names of files",
        make=files("cat_{i}_trainset.jpg", "dog_{i}_trainset.jpg", "cat_{i}_testset.jpg", "dog_{i}_testset.jpg"),
        classes=_PETS,
        tested=6,
    ),
    FolderCase(
        name="a class called train in the names of files",
        make=files("bus_{i}.jpg", "car_{i}.jpg", "train_{i}.jpg"),
        classes={"bus": 3, "car": 3, "train": 3},
    ),
    FolderCase(
        name="identifiers before the class in the names of files",
        make=files(
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301_cat.jpg",
            "840f04e0-4f89-41d3-9a0c-0305e82c3302_cat.jpg",
            "1d82a088-07ff-41d3-9a0c-0305e82c3303_dog.jpg",
            "b352a47d-8c00-41d3-9a0c-0305e82c3304_dog.jpg",
        ),
        classes={"cat": 2, "dog": 2},
    ),
    FolderCase(
        name="cameras, dates and hashes in the names of files",
        make=files(
            "IMG_E1234_cat.jpg",
            "20230517T101112_cat.jpg",
            "img_cat_001_jpg.rf.a3f9c2d1e4b5a3f9.jpg",
            "1684321234567_dog.jpg",
            "May 17, 2023 dog.jpg",
            "dog_b352a47d8c.jpg",
        ),
        classes={"cat": 3, "dog": 3},
    ),
    FolderCase(
        name="classes in the names of files in numbered lots",
        make=files("batch_1/cat_{i}.jpg", "batch_1/dog_{i}.jpg", "batch_2/cat_1{i}.jpg", "batch_2/dog_1{i}.jpg"),
        classes=_PETS,
    ),
    FolderCase(
        name="classes in the names of files in parts",
        make=files("seg_train/cat_{i}.jpg", "seg_train/dog_{i}.jpg", "seg_test/cat_{i}.jpg", "seg_test/dog_{i}.jpg"),
        classes=_PETS,
        tested=6,
    ),
)

CASES = (*_SPLIT_CASES, *_CLASS_CASES, *_GROUP_CASES, *_NAME_CASES)
